/**
 * What every ResultStore and ManifestStore must do, as one suite: run on the in-memory stores as unit tests and on a real PostgreSQL as
 * system tests. If both pass, a simulation over the one says something about the other.
 */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { RESULT_TABLES, type ResultRows, type ResultTable } from '../../streams/contract/results.ts'
import {
  Fenced,
  type Flush,
  type ManifestStore,
  type OutboxRecord,
  type ResultStore,
  type TaskProgress,
} from '../../streams/runtime/ports.ts'
import { resultRow } from './result-rows.ts'

export interface StoreUnderTest {
  results: ResultStore
  manifests: ManifestStore
  /** The rows of a table, sorted by key. */
  rows<T extends ResultTable>(table: T): Promise<ResultRows[T][]>
}

const at = { topic: 'clickstream.events', partition: 1 }
const flush = (parts: Partial<Flush>): Flush => ({ rows: {}, outbox: [], progress: [], ...parts })
const alert = (id: string, changes: Partial<OutboxRecord> = {}): OutboxRecord => ({
  id,
  topic: 'alerts.fraud',
  key: 'u1',
  value: Buffer.from([0, 1, 2, 255]),
  headers: { traceparent: '00-abc-def-01' },
  ...changes,
})
const progress = (changes: Partial<TaskProgress> = {}): TaskProgress => ({
  ...at,
  epoch: 1,
  nextOffset: 10,
  endOffset: 12,
  watermarkMs: 1_768_471_200_000,
  events: 10,
  outcomes: { late: 1, duplicate: 2, dead_letter: 0 },
  live: true,
  ...changes,
})
const ids = (records: readonly OutboxRecord[]): string[] => records.map((record) => record.id).sort()

/**
 * @param open gives a store with nothing in it.
 * @param runs how many random histories the property tests try.
 */
export function resultStoreSuite(name: string, open: () => Promise<StoreUnderTest>, { runs = 100 } = {}): void {
  describe(`${name}: result rows`, () => {
    it.each(RESULT_TABLES)('keeps every column of %s as it was given', async (table) => {
      const store = await open()
      await store.results.apply(flush({ rows: { [table]: [resultRow(table)] } }))
      expect(await store.rows(table)).toEqual([resultRow(table)])
    })

    it('takes a higher position over a lower one, and never a lower over a higher', async () => {
      const store = await open()
      const write = (position: number, events: number) =>
        store.results.apply(
          flush({ rows: { traffic_by_minute: [resultRow('traffic_by_minute', { position, events })] } }),
        )
      await write(10, 100)
      await write(11, 110)
      await write(9, 90)
      expect(await store.rows('traffic_by_minute')).toEqual([
        resultRow('traffic_by_minute', { position: 11, events: 110 }),
      ])
    })

    it('lets a row of the same position become final, and never provisional again', async () => {
      const store = await open()
      for (const final of [false, true, false]) {
        await store.results.apply(flush({ rows: { sessions: [resultRow('sessions', { final })] } }))
      }
      expect(await store.rows('sessions')).toEqual([resultRow('sessions', { final: true })])
    })

    it('lets a higher position reopen what was final', async () => {
      const store = await open()
      await store.results.apply(flush({ rows: { sessions: [resultRow('sessions', { final: true, position: 5 })] } }))
      await store.results.apply(flush({ rows: { sessions: [resultRow('sessions', { final: false, position: 6 })] } }))
      expect(await store.rows('sessions')).toEqual([resultRow('sessions', { final: false, position: 6 })])
    })

    it('keeps the highest position of a key that occurs several times in one flush', async () => {
      const store = await open()
      const versions = [3, 9, 5].map((position) => resultRow('sessions', { position, events: position }))
      await store.results.apply(flush({ rows: { sessions: versions } }))
      expect(await store.rows('sessions')).toEqual([resultRow('sessions', { position: 9, events: 9 })])
    })

    it('keeps a tombstone, and does not bring the merged session back', async () => {
      const store = await open()
      await store.results.apply(
        flush({ rows: { sessions: [resultRow('sessions', { position: 8, merged_into: 'u1@a' })] } }),
      )
      await store.results.apply(flush({ rows: { sessions: [resultRow('sessions', { position: 7 })] } }))
      expect(await store.rows('sessions')).toEqual([resultRow('sessions', { position: 8, merged_into: 'u1@a' })])
    })

    it('keeps the partials of several partitions apart', async () => {
      const store = await open()
      const partials = [0, 1, 2].map((partition) => resultRow('revenue_by_minute', { partition }))
      await store.results.apply(flush({ rows: { revenue_by_minute: partials.toReversed() } }))
      expect(await store.rows('revenue_by_minute')).toEqual(partials)
    })

    it('survives text that PostgreSQL refuses: U+0000 and half a surrogate pair become U+FFFD', async () => {
      const store = await open()
      const hostile = resultRow('sessions', {
        entry_page: 'a\0b',
        exit_page: 'x\ud800y',
        revenue_minor: { 'T\0\udc00': 1 },
      })
      await store.results.apply(flush({ rows: { sessions: [hostile] } }))
      expect(await store.rows('sessions')).toEqual([
        resultRow('sessions', { entry_page: 'a\ufffdb', exit_page: 'x\ufffdy', revenue_minor: { 'T\ufffd\ufffd': 1 } }),
      ])
    })

    it('takes keys that differ only in refused text as one', async () => {
      const store = await open()
      const twins = ['p\0', 'p\ufffd'].map((product_id, i) =>
        resultRow('products_by_hour', { product_id, position: i }),
      )
      await store.results.apply(flush({ rows: { products_by_hour: twins } }))
      expect(await store.rows('products_by_hour')).toEqual([
        resultRow('products_by_hour', { product_id: 'p\ufffd', position: 1 }),
      ])
    })

    it('keeps odd but legal text, and text that looks like a literal', async () => {
      const store = await open()
      const texts = [
        '',
        'null',
        'NULL',
        '{}',
        '"',
        '\\',
        '\\N',
        ',',
        "';--",
        ' tab\tnewline\n',
        'İstanbul 🛒',
        '\u0001',
      ]
      const rows = texts.map((category) => resultRow('revenue_by_minute', { category }))
      await store.results.apply(flush({ rows: { revenue_by_minute: rows } }))
      const stored = await store.rows('revenue_by_minute')
      expect(stored.map((row) => row.category)).toEqual(texts.toSorted())
    })

    it('gives the same table whatever the batches, their order and their repetitions', async () => {
      const history = fc.array(
        fc.record({
          user: fc.integer({ min: 0, max: 4 }),
          position: fc.integer({ min: 0, max: 30 }),
          final: fc.boolean(),
        }),
        { minLength: 1, maxLength: 40 },
      )
      await fc.assert(
        fc.asyncProperty(history, fc.infiniteStream(fc.nat()), async (steps, random) => {
          // Content follows from the position, as it does in the log; only `final` may come in two states.
          const rows = steps.map(({ user, position, final }) =>
            resultRow('sessions', { session_id: `u${user}`, position, events: position * 10, final }),
          )
          const store = await open()
          const deliveries = [...rows, ...rows]
            .map((row) => ({ row, order: random.next().value }))
            .sort((a, b) => a.order - b.order)
          while (deliveries.length > 0) {
            const batch = deliveries.splice(0, 1 + (random.next().value % 9)).map((delivery) => delivery.row)
            await store.results.apply(flush({ rows: { sessions: batch } }))
          }
          const expected = new Map<string, ResultRows['sessions']>()
          for (const row of rows) {
            const known = expected.get(row.session_id)
            if (!known || row.position > known.position || (row.position === known.position && row.final)) {
              expected.set(row.session_id, row)
            }
          }
          const inOrder = [...expected.values()].sort((a, b) => (a.session_id < b.session_id ? -1 : 1))
          expect(await store.rows('sessions')).toEqual(inOrder)
        }),
        { numRuns: runs },
      )
    })

    it('does not deadlock when flushes of the same keys run at once', async () => {
      const store = await open()
      const keys = Array.from({ length: 50 }, (_, i) => `u${i}`)
      await Promise.all(
        Array.from({ length: 8 }, (_, writer) => {
          const order = writer % 2 ? keys : keys.toReversed()
          const sessions = order.map((session_id) =>
            resultRow('sessions', { session_id, position: writer, events: writer }),
          )
          return store.results.apply(flush({ rows: { sessions } }))
        }),
      )
      const stored = await store.rows('sessions')
      expect(stored.map((row) => row.events)).toEqual(keys.map(() => 7))
    })
  })

  describe(`${name}: outbox`, () => {
    it('gives back each record until it is marked as published, and never again after', async () => {
      const store = await open()
      expect(ids(await store.results.apply(flush({ outbox: [alert('a'), alert('b')] })))).toEqual(['a', 'b'])
      expect(ids(await store.results.apply(flush({ outbox: [alert('b'), alert('c')] })))).toEqual(['b', 'c'])
      await store.results.markPublished(['a', 'b'])
      expect(ids(await store.results.apply(flush({ outbox: [alert('a'), alert('b'), alert('c')] })))).toEqual(['c'])
    })

    it('gives back what was stored, byte for byte, with and without key and headers', async () => {
      const store = await open()
      const { headers: _, ...bare } = alert('bare', { key: null, value: new Uint8Array(0) })
      const given = [alert('full'), bare]
      const applied = await store.results.apply(flush({ outbox: given }))
      const plain = (records: readonly OutboxRecord[]) => records.map((r) => ({ ...r, value: [...r.value] }))
      expect(plain(applied)).toEqual(plain(given))
      expect(plain(await store.results.unpublished(0))).toEqual(plain(given))
    })

    it('takes a record once though one flush names it twice', async () => {
      const store = await open()
      expect(ids(await store.results.apply(flush({ outbox: [alert('a'), alert('a')] })))).toEqual(['a'])
    })

    it('remembers in order what a crash left unpublished', async () => {
      const store = await open()
      await store.results.apply(flush({ outbox: [alert('z'), alert('a')] }))
      await store.results.apply(flush({ outbox: [alert('m')] }))
      await store.results.markPublished(['a', 'unknown'])
      expect((await store.results.unpublished(0)).map((record) => record.id)).toEqual(['z', 'm'])
      // Whoever applied it a moment ago is about to publish it.
      expect(await store.results.unpublished(60_000)).toEqual([])
    })
  })

  describe(`${name}: persons who are forgotten`, () => {
    const forgotten = [{ topic: 'clickstream.events', partition: 2, position: 50, subjectId: 'u1' }]
    const session = (changes: Partial<ResultRows['sessions']>) =>
      resultRow('sessions', { user_id: 'u1', partition: 2, position: 10, merged_into: null, ...changes })

    it('leaves of their rows what sums are made of, once, however often they come back', async () => {
      const store = await open()
      const theirs = [
        session({ session_id: 'u1@a' }),
        session({ session_id: 'u1@b', merged_into: 'u1@a', final: false }),
      ]
      const others = [
        session({ session_id: 'u2@a', user_id: 'u2' }),
        // Of another partition, whose positions mean something else, and of the time after it.
        session({ session_id: 'u1@c', partition: 3 }),
        session({ session_id: 'u1@d', position: 51 }),
      ]
      for (let attempt = 0; attempt < 2; attempt++) {
        await store.results.apply(flush({ rows: { sessions: [...theirs, ...others] } }))
        await store.results.apply(flush({ rows: { sessions: theirs }, forgotten }))
      }
      const nobody = { user_id: 'erased-2-50', entry_page: null, exit_page: null, final: true, position: 50 }
      expect(await store.rows('sessions')).toEqual([
        session({ ...nobody, session_id: 'erased-2-50@a' }),
        session({ ...nobody, session_id: 'erased-2-50@b', merged_into: 'erased-2-50@a' }),
        ...others.slice(1),
        others[0],
      ])
    })

    it('keeps an alert from being written again with what tells of them', async () => {
      const store = await open()
      const row = resultRow('fraud_alerts', { user_id: 'u1', partition: 2, position: 10 })
      const ofOrders = [{ ...forgotten[0]!, topic: 'transactions.orders' }]
      await store.results.apply(flush({ rows: { fraud_alerts: [row] }, forgotten }))
      expect(await store.rows('fraud_alerts')).toEqual([row])
      await store.results.apply(flush({ forgotten: ofOrders, progress: [progress()] }))
      await store.results.apply(flush({ rows: { fraud_alerts: [row, { ...row, position: 49 }] } }))
      expect(await store.rows('fraud_alerts')).toEqual([
        { ...row, user_id: 'erased-2-50', evidence: [], trace_id: null, final: true, position: 50 },
      ])
    })
  })

  describe(`${name}: epochs and manifests`, () => {
    it('begins an epoch higher than any before, per partition, also when several begin at once', async () => {
      const { manifests } = await open()
      const epochs = await Promise.all([1, 2, 3, 4].map((n) => manifests.beginEpoch(at, `process ${n}`)))
      expect(new Set(epochs).size).toBe(4)
      expect(await manifests.beginEpoch(at, 'later')).toBeGreaterThan(Math.max(...epochs))
      expect(await manifests.beginEpoch({ ...at, partition: 2 }, 'other')).toBeLessThanOrEqual(Math.min(...epochs))
    })

    it('refuses the flush of a task that was replaced, as a whole', async () => {
      const store = await open()
      const old = await store.manifests.beginEpoch(at, 'old')
      const mine = await store.manifests.beginEpoch(at, 'new')
      const zombie = flush({
        rows: { sessions: [resultRow('sessions')] },
        outbox: [alert('a')],
        progress: [progress({ partition: 9, epoch: 1 }), progress({ epoch: old })],
      })
      await expect(store.results.apply(zombie)).rejects.toThrow(Fenced)
      expect(await store.rows('sessions')).toEqual([])
      expect(await store.results.unpublished(0)).toEqual([])
      await store.results.apply(flush({ ...zombie, progress: [progress({ epoch: mine })] }))
      expect(await store.rows('sessions')).toHaveLength(1)
    })

    it('takes progress of a task that has seen no event: no watermark', async () => {
      const store = await open()
      const epoch = await store.manifests.beginEpoch(at, 'me')
      await store.results.apply(flush({ progress: [progress({ epoch, watermarkMs: null })] }))
    })

    it('lists the newest manifests first and forgets the older ones', async () => {
      const { manifests } = await open()
      const epoch = await manifests.beginEpoch(at, 'me')
      expect(await manifests.manifests(at)).toEqual([])
      for (const n of [1, 2, 3, 4, 5]) await manifests.save(at, epoch, { nextOffset: n, files: [`f${n}`] })
      expect(await manifests.manifests(at)).toEqual([
        { nextOffset: 5, files: ['f5'] },
        { nextOffset: 4, files: ['f4'] },
        { nextOffset: 3, files: ['f3'] },
      ])
      expect(await manifests.manifests({ ...at, partition: 7 })).toEqual([])
    })

    it('keeps only the one saved last where it is told to', async () => {
      const { manifests } = await open()
      const epoch = await manifests.beginEpoch(at, 'me')
      for (const n of [1, 2, 3]) await manifests.save(at, epoch, { nextOffset: n, files: [`f${n}`] })
      expect(await manifests.save(at, epoch, { nextOffset: 4, files: ['f4'] }, 1)).toEqual(['f1', 'f2', 'f3'])
      expect(await manifests.manifests(at)).toEqual([{ nextOffset: 4, files: ['f4'] }])
    })

    it('puts the manifest saved last first, though an older one names a higher offset', async () => {
      const { manifests } = await open()
      const epoch = await manifests.beginEpoch(at, 'me')
      await manifests.save(at, epoch, { nextOffset: 90, files: ['corrupt'] })
      await manifests.save(at, await manifests.beginEpoch(at, 'recovered'), { nextOffset: 50, files: ['good'] })
      expect((await manifests.manifests(at)).map((manifest) => manifest.nextOffset)).toEqual([50, 90])
    })

    it('gives back the files that no remaining manifest names', async () => {
      const { manifests } = await open()
      const epoch = await manifests.beginEpoch(at, 'me')
      const save = (nextOffset: number, files: string[]) => manifests.save(at, epoch, { nextOffset, files })
      expect(await save(1, ['base1', 'd1'])).toEqual([])
      expect(await save(2, ['base1', 'd1', 'd2'])).toEqual([])
      expect(await save(3, ['base1', 'd1', 'd2', 'd3'])).toEqual([])
      expect(await save(4, ['base2'])).toEqual([])
      expect(await save(5, ['base2', 'e1'])).toEqual([])
      expect(await save(6, ['base2', 'e1', 'e2'])).toEqual(['base1', 'd1', 'd2', 'd3'])
    })

    it('refuses the manifest of a task that was replaced', async () => {
      const { manifests } = await open()
      const old = await manifests.beginEpoch(at, 'old')
      await manifests.save(at, old, { nextOffset: 1, files: ['f1'] })
      const mine = await manifests.beginEpoch(at, 'new')
      await expect(manifests.save(at, old, { nextOffset: 2, files: ['f2'] })).rejects.toThrow(Fenced)
      expect(await manifests.manifests(at)).toEqual([{ nextOffset: 1, files: ['f1'] }])
      await manifests.save(at, mine, { nextOffset: 3, files: ['f3'] })
    })

    it('refuses a manifest for a partition nobody has begun', async () => {
      const { manifests } = await open()
      await expect(manifests.save(at, 1, { nextOffset: 1, files: [] })).rejects.toThrow(Fenced)
    })
  })
}
