/** The schema registry's port in memory, for tests that need codecs and nothing else. The same schema has one id, as in the real ones. */
import type { Schema } from 'avsc'
import { type SchemaRegistry, UnknownSchema } from '../contract/codec.ts'

export function createMemoryRegistry(): SchemaRegistry {
  const texts: string[] = []
  return {
    async register(_subject, schema) {
      const text = JSON.stringify(schema)
      const at = texts.indexOf(text)
      return at >= 0 ? at + 1 : texts.push(text)
    },
    async schema(id) {
      const text = texts[id - 1]
      if (text === undefined) throw new UnknownSchema(`Schema ${id} is not in the registry`)
      return JSON.parse(text) as Schema
    },
  }
}
