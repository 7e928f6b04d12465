/**
 * The text of `edge/client/schema.ts`: TypeScript's types of the API, made by openapi-typescript from the very document that the app serves. No server is needed.
 *
 * `npm run api:generate` writes it, a test tells when it is not current.
 */
import openapiTS, { astToString } from 'openapi-typescript'
import { createHarness } from './harness.ts'

const HEAD = `/** The API as types, made from its OpenAPI document by \`npm run api:generate\`. Not to be edited, nor merged by hand: make it anew. */\n\n`

export async function clientSchema(): Promise<string> {
  const edge = await createHarness()
  const document = await (await edge.get('/openapi.json')).text()
  // Sorted, so that the order in which routes are added changes nothing.
  const types = await openapiTS(document, { alphabetize: true, rootTypes: true, rootTypesNoSchemaPrefix: true })
  return HEAD + astToString(types)
}
