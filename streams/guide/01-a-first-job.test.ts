/**
 * Chapter 1: what a job is.
 *
 * A job is what the business asks, written as a few declarations: which topic it reads, which operator computes, which table the result goes to. It does no
 * I/O, so it can be tried without a server: the driver runs the very code that production runs. Run this chapter with
 * `npx vitest run --project unit streams/guide/01`, change it, and run it again.
 */
import { getTableColumns } from 'drizzle-orm'
import { describe, expect, it } from 'vitest'
import { RESULT_SCHEMA } from '../../db/postgres/schema.ts'
import type { ClickstreamEvent } from '../contract/events.ts'
import { RESULT_KEYS, RESULT_TABLES } from '../contract/results.ts'
import { CLICKSTREAM } from '../contract/topics.ts'
import { type Job, minutes } from '../jobs/job.ts'
import { tumblingWindow } from '../operators/tumbling-window.ts'
import { createDriver } from '../testing/driver.ts'

/*
 * The question: how many events come from each region, minute by minute?
 *
 * The operator for "so many per so long" is the tumbling window: it cuts time into minutes and keeps one *accumulator* per minute and *group*. We say what
 * the group of an event is, how an empty accumulator looks, how an event is added, and which row shows it. All the rest (disorder, lateness, recovery,
 * writing each row when it has changed) is the operator's business, and the runtime's.
 */
interface Count {
  events: number
}

const eventsByRegion: Job = {
  name: 'events-by-region',
  about: 'Events per region and minute.',
  on: {
    [CLICKSTREAM]: [
      tumblingWindow<ClickstreamEvent, Count, 'traffic_by_minute'>({
        // Names the operator's state in checkpoints: unique in the topology, and not to be changed later.
        name: 'events-by-region',
        sizeMs: minutes(1),
        // null: this event does not count.
        group: (event) => event.region,
        accumulator: {
          // How an accumulator is kept in a checkpoint, as an Avro schema.
          schema: { type: 'record', name: 'Count', fields: [{ name: 'events', type: 'long' }] },
          create: () => ({ events: 0 }),
          add(count) {
            count.events++
          },
        },
        // Results go to tables, and a table has a row type. Ours fits into one that is there: `traffic_by_minute`, with the region in the place of the
        // event type. The prefix keeps it apart from what the traffic job writes.
        table: 'traffic_by_minute',
        row: ({ startMs, group, acc, final, partition, position }) => ({
          window_start: startMs,
          event_type: `region/${group}`,
          events: acc.events,
          users: 0,
          // These three go into every row as they are: chapter 3 tells what they are for.
          final,
          partition,
          position,
        }),
      }),
    ],
  },
}

describe('a first job', () => {
  it('counts events per region and minute', async () => {
    const driver = await createDriver({ jobs: [eventsByRegion] })

    // Events are given as a client sends them over HTTP. Every chapter's day is the 15th of January 2026.
    const click = (time: string, region: string | null) =>
      driver.send(CLICKSTREAM, {
        user_id: 'ada',
        event_type: 'page_view',
        region,
        event_time: `2026-01-15T${time}Z`,
      })
    await click('12:00:05', 'marmara')
    await click('12:00:50', 'marmara')
    await click('12:00:55', 'ege')
    await click('12:01:10', 'marmara')
    await click('12:01:15', null)

    // What a reader of the table sees now.
    const rows = await driver.rows('traffic_by_minute')
    expect(rows.map((row) => [new Date(row.window_start).toISOString(), row.event_type, row.events])).toEqual([
      ['2026-01-15T12:00:00.000Z', 'region/ege', 1],
      ['2026-01-15T12:00:00.000Z', 'region/marmara', 2],
      ['2026-01-15T12:01:00.000Z', 'region/marmara', 1],
    ])
  })

  it('writes one partial row per partition, to be summed by whoever reads', async () => {
    /*
     * A topic is cut into partitions, so that several processes can share the work. The key of an event (for clicks: the user) decides its partition.
     * A region's users are in all of them, and no partition knows the others' counts: so each writes its own row, and readers sum. Nothing is shuffled.
     */
    const driver = await createDriver({ jobs: [eventsByRegion] })
    for (let i = 0; i < 100; i++) {
      await driver.send(CLICKSTREAM, {
        user_id: `user-${i}`,
        event_type: 'page_view',
        region: 'ege',
        event_time: '2026-01-15T12:00:00Z',
      })
    }
    const partials = await driver.rows('traffic_by_minute')
    expect(partials.map((row) => row.partition)).toEqual([0, 1, 2, 3])
    expect(partials.reduce((sum, row) => sum + row.events, 0)).toBe(100)
  })

  it('becomes part of the platform by a line in streams/topology.ts', () => {
    /*
     * `TOPOLOGY` lists the jobs; the runtime opens their operators for every partition. There is nothing else to register: put your job's file into
     * streams/jobs, its test beside it, and its name into that list.
     *
     * A job that is new has no state in the checkpoints: it begins where the stream is now.
     */
    expect(eventsByRegion.on[CLICKSTREAM]).toHaveLength(1)
  })
})

describe('when no table fits', () => {
  it('the compiler says so, and leads through what a new table takes', () => {
    /*
     * Sign-ups by hour, say. A table that nobody has declared does not compile:
     */
    const signups = () =>
      tumblingWindow<ClickstreamEvent, Count, 'traffic_by_minute'>({
        name: 'signups',
        sizeMs: minutes(60),
        group: (event) => event.event_type,
        accumulator: { schema: 'null', create: () => ({ events: 0 }), add: () => undefined },
        // @ts-expect-error there is no such table, yet
        table: 'signups_by_hour',
        row: () => {
          throw new Error('never opened')
        },
      })
    expect(signups).toBeTypeOf('function')

    /*
     * 1. streams/contract/results.ts: the row type (it extends `Provenance`), its line in `ResultRows`, its key columns in `RESULT_KEYS`. The key includes
     *    `partition` where a row is a partial.
     * 2. Now the compiler points at db/postgres/schema.ts (the drizzle table, and its lines in `RESULT_SCHEMA` and `COLUMNS_AGREE`), db/postgres/upsert.ts
     *    (one line) and db/testing/result-rows.ts (a sample row, with which the suite of the stores tries your table).
     * 3. `npm run db:generate` writes the migration. Read it, then commit it.
     * 4. A query in db/postgres/queries, and a route in edge/, for those who will read it.
     *
     * That every table has its columns in PostgreSQL is also what this assertion sees:
     */
    for (const table of RESULT_TABLES) {
      const columns = Object.keys(getTableColumns(RESULT_SCHEMA[table]))
      expect(columns, table).toEqual(expect.arrayContaining([...RESULT_KEYS[table], 'partition', 'position']))
    }
  })
})
