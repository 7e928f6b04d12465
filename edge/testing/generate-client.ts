/** `npm run api:generate`: writes the types of the typed client anew. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { clientSchema } from './client-schema.ts'

await writeFile(join(import.meta.dirname, '../client/schema.ts'), await clientSchema())
