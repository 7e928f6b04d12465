/** The object store in plain memory, for the simulation. */
import { readFile } from 'node:fs/promises'
import { writeWhole } from '../objects/local-file.ts'
import type { BulkObjectStore } from '../objects/object-store.ts'

export interface MemoryObjects extends BulkObjectStore {
  /** What is stored: to look at, and for tests to damage. */
  readonly objects: Map<string, Buffer>
}

/** @param nowMs what `modifiedMs` of every object is when it is put */
export function createMemoryObjects(nowMs: () => number = () => 0): MemoryObjects {
  const objects = new Map<string, Buffer>()
  const modified = new Map<string, number>()
  const put = (key: string, body: Uint8Array): void => {
    objects.set(key, Buffer.from(body))
    modified.set(key, nowMs())
  }
  const get = (key: string): Buffer | null => {
    const body = objects.get(key)
    return body ? Buffer.from(body) : null
  }
  const info = (key: string) => ({ key, bytes: objects.get(key)!.length, modifiedMs: modified.get(key) ?? 0 })
  const under = (prefix: string) => [...objects.keys()].filter((key) => key.startsWith(prefix)).sort()
  return {
    objects,
    location: 'memory://',
    putsIfAbsent: true,
    put: async (key, body) => put(key, body),
    async putIfAbsent(key, body) {
      if (objects.has(key)) return false
      put(key, body)
      return true
    },
    putFile: async (key, path) => put(key, await readFile(path)),
    get: async (key) => get(key),
    async getFile(key, path) {
      const body = get(key)
      if (body) await writeWhole(path, once(body))
      return body !== null
    },
    async getRange(key, start, length) {
      const body = get(key)
      if (!body) return null
      const from = start < 0 ? Math.max(0, body.length + start) : start
      return body.subarray(from, from + length)
    },
    async stream(key) {
      const body = get(key)
      return body && { bytes: body.length, body: once(body) }
    },
    stat: async (key) => (objects.has(key) ? info(key) : null),
    list: async (prefix) => under(prefix),
    async *pages(prefix) {
      const found = under(prefix).map(info)
      if (found.length > 0) yield found
    },
    async delete(key) {
      objects.delete(key)
    },
    async deleteMany(keys) {
      for (const key of keys) objects.delete(key)
    },
  }
}

async function* once(body: Buffer): AsyncGenerator<Uint8Array> {
  yield body
}
