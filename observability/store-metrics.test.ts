import { expect, it } from 'vitest'
import { createRegistry } from './metrics.ts'
import { watchStores } from './store-metrics.ts'

class Store {
  readonly #there = new Map([['a', 1]])
  size = 1
  async get(key: string): Promise<number> {
    const found = this.#there.get(key)
    if (found === undefined) throw new Error(`no ${key}`)
    return found
  }
  names = (): string[] => [...this.#there.keys()]
}

it('a watched store answers and fails as it does unwatched; its calls are counted by method', async () => {
  const metrics = createRegistry()
  const store = watchStores(metrics)('postgresql', new Store(), (error) => (error as Error).message !== 'no question')
  expect([await store.get('a'), store.names(), store.size]).toEqual([1, ['a'], 1])
  await expect(store.get('b')).rejects.toThrow('no b')
  // The caller's own fault.
  await expect(store.get('question')).rejects.toThrow('no question')
  const text = await metrics.metrics()
  expect(text).toContain('streamforge_store_call_duration_seconds_count{store="postgresql",operation="get"} 1')
  expect(text).toContain('streamforge_store_errors_total{store="postgresql",operation="get"} 1')
})
