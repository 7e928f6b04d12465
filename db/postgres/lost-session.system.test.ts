/**
 * Sessions that PostgreSQL or the network ends, in every moment of a transaction: the transaction is refused whole, the process lives, the pool goes on, and
 * nothing of a dead transaction runs on the session that comes after it. postgres.js does that only with `patches/postgres.patch`.
 */
import { once } from 'node:events'
import { connect as connectSocket, createServer, type Socket } from 'node:net'
import { setImmediate } from 'node:timers/promises'
import { describe, expect, it, onTestFinished } from 'vitest'
import { withPostgres } from '../testing/postgres.ts'
import { connect, type Database } from './connect.ts'
import { isTransient } from './errors.ts'

const postgres = withPostgres()

interface Bench extends Database {
  /** Ends the pool's session by the server, as soon as there is one. */
  terminate(): Promise<void>
  numbers(): Promise<number[]>
}

/** A pool of one connection: whatever comes next uses the connection that was lost. */
async function bench(via: (url: string) => Promise<string> = async (url) => url): Promise<Bench> {
  const { url, sql: control } = await postgres.database({ max: 1 })
  await control`CREATE TABLE numbers (n integer)`
  const pool = connect(await via(url), { max: 1, name: 'bench' })
  onTestFinished(() => pool.close())
  return {
    ...pool,
    async terminate() {
      const ended = () =>
        control`SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE application_name = 'bench'`
      await expect.poll(async () => (await ended()).length, { timeout: 10_000 }).toBe(1)
    },
    numbers: async () => (await control<{ n: number }[]>`SELECT n FROM numbers ORDER BY n`).map(({ n }) => n),
  }
}

/** The pool's one connection works: for plain queries and for transactions. */
async function worksOn({ sql }: Database, n: number): Promise<void> {
  for (let i = 0; i < 3; i++) expect(await sql`SELECT 1 AS one`).toEqual([{ one: 1 }])
  await sql.begin((tx) => tx`INSERT INTO numbers VALUES (${n})`)
}

interface Moment {
  readonly promise: Promise<void>
  resolve(): void
}
function moment(): Moment {
  let resolve = (): void => {}
  const promise = new Promise<void>((now) => {
    resolve = now
  })
  return { promise, resolve: () => resolve() }
}

const lost = (error: unknown): Error => {
  expect(error).toBeInstanceOf(Error)
  expect(isTransient(error)).toBe(true)
  return error as Error
}

describe('a session that ends', () => {
  it('while a statement of a transaction runs', async () => {
    const db = await bench()
    const transaction = db.sql.begin(async (tx) => {
      await tx`INSERT INTO numbers VALUES (1)`
      await tx`SELECT pg_sleep(60)`
    })
    const failed = transaction.catch(lost)
    await db.terminate()
    expect(await failed).toBeInstanceOf(Error)
    await worksOn(db, 2)
    expect(await db.numbers()).toEqual([2])
  })

  it('between two statements, with another transaction waiting for the connection', async () => {
    const db = await bench()
    const begun = moment()
    const ended = moment()
    const dead = db.sql.begin(async (tx) => {
      await tx`INSERT INTO numbers VALUES (1)`
      begun.resolve()
      await ended.promise
      // Into nowhere: not into the transaction that has the next session by now.
      await tx`INSERT INTO numbers VALUES (3)`.catch(() => {})
      await tx`COMMIT`.catch(() => {})
      await tx`INSERT INTO numbers VALUES (5)`
    })
    const failed = dead.catch(lost)
    await begun.promise
    const next = db.sql.begin(async (tx) => {
      await tx`INSERT INTO numbers VALUES (2)`
      ended.resolve()
      await failed
      for (let turn = 0; turn < 20; turn++) await setImmediate()
      await tx`INSERT INTO numbers VALUES (4)`
      throw new RangeError('rolled back')
    })
    const refused = expect(next).rejects.toThrow('rolled back')
    await db.terminate()
    await refused
    expect(await failed).toBeInstanceOf(Error)
    expect(await db.numbers()).toEqual([])
    await worksOn(db, 6)
    expect(await db.numbers()).toEqual([6])
  })

  it('with statements queued behind the one that runs', async () => {
    const db = await bench()
    const outcomes: Promise<unknown>[] = []
    const failed = db.sql
      .begin(async (tx) => {
        outcomes.push(...[tx`SELECT pg_sleep(60)`, tx`SELECT 1`, tx`SELECT 2`].map((query) => query.catch(lost)))
        await Promise.all(outcomes)
        return 'not committed'
      })
      .catch(lost)
    await db.terminate()
    expect(await failed).toBeInstanceOf(Error)
    expect((await Promise.all(outcomes)).every((outcome) => outcome instanceof Error)).toBe(true)
    await worksOn(db, 1)
  })

  it('by a reset of the network', async () => {
    const sockets = new Set<Socket>()
    const db = await bench(async (url) => {
      const { hostname, port: realPort } = new URL(url)
      const proxy = createServer((socket) => {
        const upstream = connectSocket(Number(realPort), hostname)
        sockets.add(socket)
        socket.on('error', () => {}).on('close', () => upstream.destroy())
        upstream.on('error', () => {}).on('close', () => socket.destroy())
        socket.pipe(upstream).pipe(socket)
      })
      await once(proxy.listen(0, '127.0.0.1'), 'listening')
      onTestFinished(() => void proxy.close())
      const { port } = proxy.address() as { port: number }
      return Object.assign(new URL(url), { host: `127.0.0.1:${port}` }).href
    })
    for (let round = 0; round < 3; round++) {
      const running = moment()
      const failed = db.sql
        .begin(async (tx) => {
          await tx`INSERT INTO numbers VALUES (1)`
          const sleeping = tx`SELECT pg_sleep(60)`.execute()
          running.resolve()
          await sleeping
        })
        .catch(lost)
      await running.promise
      await setImmediate()
      for (const socket of sockets) socket.resetAndDestroy()
      sockets.clear()
      expect(await failed).toBeInstanceOf(Error)
      await worksOn(db, 10 + round)
    }
    expect(await db.numbers()).toEqual([10, 11, 12])
  })

  it('at any moment of a hundred, under load', async () => {
    const { url, sql: control } = await postgres.database({ max: 1 })
    await control`CREATE TABLE numbers (n integer PRIMARY KEY)`
    const pool = connect(url, { max: 3, name: 'many' })
    onTestFinished(() => pool.close())
    let ending = false
    const committed: number[] = []
    let count = 0
    const client = async (): Promise<void> => {
      while (!ending) {
        const n = count++
        const pair = [2 * n, 2 * n + 1]
        await pool.sql
          .begin(async (tx) => {
            for (const value of pair) await tx`INSERT INTO numbers VALUES (${value})`
          })
          .then(() => committed.push(...pair), lost)
        await pool.sql`SELECT 1`.catch(lost)
      }
    }
    const clients = [client(), client(), client(), client()]
    for (let kill = 0; kill < 100; kill++) {
      await control`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'many' AND random() < 0.7`
      // Some work is done between two kills.
      const before = committed.length
      await expect.poll(() => committed.length > before, { timeout: 20_000, interval: 1 }).toBe(true)
    }
    ending = true
    await Promise.all(clients)
    const stored = (await control<{ n: number }[]>`SELECT n FROM numbers ORDER BY n`).map(({ n }) => n)
    // A commit whose answer was lost may be in as well; a half of a transaction may not.
    expect(stored.filter((n) => n % 2 === 0).map((n) => n + 1)).toEqual(stored.filter((n) => n % 2 === 1))
    const there = new Set(stored)
    expect(committed.filter((n) => !there.has(n))).toEqual([])
  })
})
