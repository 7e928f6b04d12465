/** Work that runs out of memory is done again by one thread, once; everything else is as it was. What is told to stop stops, whenever it is told. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Duck, interruptedBy, openDuck, queryObjects, withLessMemory } from './duck.ts'

let duck: Duck
beforeAll(async () => {
  duck = await openDuck({ memoryMb: 100, threads: 2 })
})
afterAll(() => duck.close())

const threads = async () =>
  Number((await queryObjects(duck.connection, "SELECT current_setting('threads') AS count"))[0]!.count)

test('work that runs out of memory is done again with one thread, and the next one has both', async () => {
  const seen: number[] = []
  const result = await withLessMemory(duck, async () => {
    seen.push(await threads())
    // What DuckDB really says, of its own accord.
    if (seen.length === 1) await duck.connection.run('SELECT list(i) FROM range(100_000_000) r(i)')
    return 'done'
  })
  expect([result, seen, await threads()]).toEqual(['done', [2, 1], 2])
})

test('work that fails twice, or for another reason, fails', async () => {
  let tries = 0
  const fail = (sql: string) =>
    withLessMemory(duck, async () => {
      tries++
      await duck.connection.run(sql)
    })
  await expect(fail('SELECT list(i) FROM range(100_000_000) r(i)')).rejects.toThrow('Out of Memory Error')
  expect([tries, await threads()]).toEqual([2, 2])
  await expect(fail('SELECT nothing')).rejects.toThrow('nothing')
  expect(tries).toBe(3)
})

test.each(['before', 'behind'] as const)(
  'told to stop just %s the beginning of a statement, it stops',
  async (when) => {
    const stop = new AbortController()
    const calledOff = interruptedBy(stop.signal, duck)
    if (when === 'before') stop.abort()
    const endless = duck.connection.run(
      'SELECT count(*) FROM range(10000000000) a, range(10000) b WHERE a.range + b.range = 7',
    )
    stop.abort()
    await expect(endless).rejects.toThrow('Interrupted')
    calledOff()
    expect(await threads()).toBe(2)
  },
)
