/**
 * What every form of the feature store must do, as tests: LMDB, Redis and the memory form each call {@link describeFeatureStore}.
 * Each test gets an empty store.
 */
import { afterEach, describe, expect, test } from 'vitest'
import type { ClickFeatures, FeatureWrite } from '../../streams/contract/features.ts'
import type { FeatureStore } from '../features/feature-store.ts'
import { clickFeatures, orderFeatures } from './feature-values.ts'

export interface FeaturesUnderTest {
  store: FeatureStore
  /** Another handle on the same store, as another process would have it. */
  reopen(): Promise<FeatureStore>
  dispose(): Promise<void>
}

const clicks = (userId: string, position: number, more: Partial<ClickFeatures> = {}): FeatureWrite<'clicks'> => ({
  userId,
  part: 'clicks',
  partition: 2,
  position,
  value: clickFeatures({ total_events: position, ...more }),
})
const orders = (userId: string, position: number): FeatureWrite<'orders'> => ({
  userId,
  part: 'orders',
  partition: 3,
  position,
  value: orderFeatures({ total_orders: position }),
})

export function describeFeatureStore(name: string, open: () => Promise<FeaturesUnderTest>): void {
  describe(name, () => {
    let current: FeaturesUnderTest | null = null
    const others: FeatureStore[] = []
    const fresh = async (): Promise<FeaturesUnderTest> => {
      current = await open()
      return current
    }
    afterEach(async () => {
      for (const other of others.splice(0)) await other.close()
      await current?.dispose()
      current = null
    })

    test('a user nobody wrote is null', async () => {
      const { store } = await fresh()
      expect(await store.read('nobody')).toBe(null)
    })

    test('what was written is read back whole, with the place it came from', async () => {
      const { store } = await fresh()
      await store.write([clicks('u', 7)])
      expect(await store.read('u')).toEqual({
        clicks: { value: clickFeatures({ total_events: 7 }), partition: 2, position: 7 },
      })
    })

    test('the two parts of a user do not know of each other', async () => {
      const { store } = await fresh()
      await store.write([orders('u', 100)])
      await store.write([clicks('u', 5)])
      const features = await store.read('u')
      expect(features?.orders).toEqual({ value: orderFeatures({ total_orders: 100 }), partition: 3, position: 100 })
      expect(features?.clicks?.position).toBe(5)
    })

    test('position 0 is a position', async () => {
      const { store } = await fresh()
      await store.write([clicks('u', 0)])
      expect((await store.read('u'))?.clicks?.position).toBe(0)
      await store.write([clicks('u', 1)])
      expect((await store.read('u'))?.clicks?.position).toBe(1)
    })

    test('a lower position never replaces a higher one, and an equal one changes nothing', async () => {
      const { store } = await fresh()
      await store.write([clicks('u', 10)])
      await store.write([clicks('u', 9)])
      await store.write([clicks('u', 10, { last_event_type: 'replayed' })])
      const features = await store.read('u')
      expect(features?.clicks).toMatchObject({ position: 10, value: { total_events: 10, last_event_type: 'purchase' } })
      await store.write([clicks('u', 2 ** 40)])
      expect((await store.read('u'))?.clicks?.position).toBe(2 ** 40)
    })

    test('within one write the highest position wins, whatever the order', async () => {
      const { store } = await fresh()
      await store.write([clicks('u', 3), clicks('u', 9), clicks('u', 5), orders('u', 2), orders('u', 1)])
      const features = await store.read('u')
      expect([features?.clicks?.position, features?.orders?.position]).toEqual([9, 2])
    })

    test('a user who is forgotten is gone, and lower positions can’t bring the features back', async () => {
      const { store, reopen } = await fresh()
      const forget = (position: number): FeatureWrite => ({ ...clicks('u', position), value: null })
      await store.write([clicks('u', 9), orders('u', 50), clicks('v', 9)])
      await store.write([forget(10)])
      expect(Object.keys((await store.read('u')) ?? {})).toEqual(['orders'])
      const other = await reopen()
      others.push(other)
      for (const each of [store, other]) {
        await each.write([clicks('u', 9), clicks('u', 10)])
        expect((await each.read('u'))?.clicks).toBeUndefined()
      }
      // Of a replay, behind what came after it: that stays.
      await store.write([clicks('u', 11)])
      await store.write([forget(10)])
      expect((await store.read('u'))?.clicks?.position).toBe(11)
      expect((await store.read('v'))?.clicks?.position).toBe(9)
      await store.write([forget(12), { ...orders('u', 51), value: null }])
      expect(await store.read('u')).toBe(null)
    })

    test('when a write has resolved, other readers see it', async () => {
      const { store, reopen } = await fresh()
      const other = await reopen()
      others.push(other)
      for (let position = 1; position <= 20; position++) {
        await store.write([clicks('u', position)])
        expect((await other.read('u'))?.clicks?.position).toBe(position)
      }
    })

    test('of two writers at once the higher position stays', async () => {
      const { store, reopen } = await fresh()
      const other = await reopen()
      others.push(other)
      const positions = Array.from({ length: 60 }, (_, i) => (i * 37) % 60)
      await Promise.all(positions.map((p, i) => (i % 2 ? store : other).write([clicks('u', p), orders('v', p)])))
      expect((await store.read('u'))?.clicks?.position).toBe(59)
      expect((await other.read('v'))?.orders?.position).toBe(59)
    })

    test('user ids may be anything', async () => {
      const { store } = await fresh()
      const ids = [
        '',
        ' ',
        'a',
        'kullanıcı-ş',
        '用户🛒',
        '__proto__',
        'a\u0000b',
        'a b\nc',
        'a:{b}:c',
        'x'.repeat(1_899),
        'x'.repeat(1_900),
        'x'.repeat(5_000),
      ]
      await store.write(ids.map((id, i) => clicks(id, i + 1)))
      for (const [i, id] of ids.entries()) expect((await store.read(id))?.clicks?.position).toBe(i + 1)
      expect(await store.read('x'.repeat(4_999))).toBe(null)
    })

    test('changing what was written or read changes nothing stored', async () => {
      const { store } = await fresh()
      const write = clicks('u', 1)
      await store.write([write])
      write.value!.events.minutes.length = 0
      const first = await store.read('u')
      first!.clicks!.value.total_events = -1
      expect((await store.read('u'))?.clicks?.value).toEqual(clickFeatures({ total_events: 1 }))
    })

    test('thousands of users in one write', async () => {
      const { store } = await fresh()
      const writes = Array.from({ length: 5_000 }, (_, i) => (i % 2 ? clicks(`user-${i}`, i) : orders(`user-${i}`, i)))
      await store.write(writes)
      for (let i = 0; i < 5_000; i += 97) {
        const features = await store.read(`user-${i}`)
        expect((i % 2 ? features?.clicks : features?.orders)?.position).toBe(i)
      }
    })

    test('writing nothing is fine', async () => {
      const { store } = await fresh()
      await store.write([])
    })

    test('the generation is null at first, then what was set, for everyone', async () => {
      const { store, reopen } = await fresh()
      expect(await store.generation()).toBe(null)
      await store.setGeneration('g-1')
      await store.setGeneration('g-2')
      const other = await reopen()
      others.push(other)
      expect([await store.generation(), await other.generation()]).toEqual(['g-2', 'g-2'])
      expect(await store.read('generation')).toBe(null)
    })
  })
}
