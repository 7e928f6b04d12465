/** The object store in plain memory, for the simulation. */
import type { ObjectStore } from '../objects/object-store.ts'

export interface MemoryObjects extends ObjectStore {
  /** What is stored: to look at, and for tests to damage. */
  readonly objects: Map<string, Buffer>
}

export function createMemoryObjects(): MemoryObjects {
  const objects = new Map<string, Buffer>()
  return {
    objects,
    async put(key, body) {
      objects.set(key, Buffer.from(body))
    },
    async get(key) {
      const body = objects.get(key)
      return body ? Buffer.from(body) : null
    },
    list: async (prefix) => [...objects.keys()].filter((key) => key.startsWith(prefix)).sort(),
    async delete(key) {
      objects.delete(key)
    },
  }
}
