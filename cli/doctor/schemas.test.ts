/** What the doctor says of registries: the edge's, one elsewhere with a password, one that lacks a topic's schema, and none that can be seen. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, it, onTestFinished } from 'vitest'
import { Secret } from '../../db/secret.ts'
import { subjectOf } from '../../streams/contract/avro.ts'
import { INPUT_TOPICS } from '../../streams/contract/topics.ts'
import { schemasFamily } from './schemas.ts'

const ALL = INPUT_TOPICS.map((topic) => subjectOf(topic))

/** @param subjects null: there is no registry at this address */
async function registry(subjects: readonly string[] | null): Promise<{ url: string; asked: string[] }> {
  const asked: string[] = []
  const server = createServer((request, response) => {
    asked.push(`${request.url} ${request.headers.authorization}`)
    response.statusCode = subjects === null ? 404 : 200
    response.end(JSON.stringify(subjects ?? {}))
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  onTestFinished(() => void server.close())
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked }
}

const finding = (edgeUrl: string, elsewhere?: string) =>
  schemasFamily({
    edgeUrl,
    token: 'of-somebody',
    answerMs: 5_000,
    config: { schemaRegistryUrl: elsewhere === undefined ? null : new Secret(elsewhere) },
  }).checks[0]!.run()

it("asks the edge's with the token, and one elsewhere with its own password", async () => {
  const edge = await registry(ALL)
  expect(await finding(edge.url)).toMatchObject({ status: 'ok' })
  expect(edge.asked).toEqual(['/schema-registry/subjects Bearer of-somebody'])
  const own = await registry(ALL)
  const url = new URL(own.url)
  url.username = 'us er'
  url.password = 'p:w'
  expect(await finding(edge.url, url.href)).toMatchObject({ status: 'ok' })
  expect(own.asked).toEqual([`/subjects Basic ${Buffer.from('us er:p:w').toString('base64')}`])
})

it('names what is missing, and does not call broken what it can not see', async () => {
  const lacking = await registry(ALL.slice(1))
  await expect(finding(lacking.url)).rejects.toThrow(`There is no ${ALL[0]} at`)
  const none = await registry(null)
  expect(await finding(none.url)).toMatchObject({ status: 'unseen' })
  await expect(finding(lacking.url, none.url)).rejects.toThrow('answered 404')
})
