/**
 * Chapter 3: provisional and final rows, versions, and what happens when the process dies.
 *
 * Nobody waits for the watermark: a row is written as soon as it has content, and again whenever that changes. `final` tells readers whether it can change
 * once more. `position` is the offset of the record that made it what it is, and it is the whole secret of recovery.
 */
import { beforeEach, describe, expect, it } from 'vitest'
import { CLICKSTREAM } from '../contract/topics.ts'
import { type Job, minutes } from '../jobs/job.ts'
import { Session, sessionWindow } from '../operators/session-window.ts'
import { createDriver, type Driver } from '../testing/driver.ts'

/*
 * A second operator: the session window. It has no fixed borders; a visit goes on while the pauses are shorter than the gap. What we keep per visit is a
 * class of our own on top of `Session`, which knows the bounds.
 */
class Visit extends Session {
  pages = 0
}

const visits: Job = {
  name: 'visits',
  about: 'Visits of each user: five minutes of silence end one.',
  on: {
    [CLICKSTREAM]: [
      sessionWindow({
        name: 'visits',
        gapMs: minutes(5),
        key: (event) => event.user_id ?? '',
        session: Visit,
        // Our own fields, for the checkpoint. A field that is added later needs a `default`, for the sessions that were saved before.
        fields: [{ name: 'pages', type: 'int' }],
        add(visit) {
          visit.pages++
        },
        // An out-of-order event can turn out to be the missing link between two visits.
        merge(survivor, absorbed) {
          survivor.pages += absorbed.pages
        },
        table: 'sessions',
        row: (visit, { id, partition, final, mergedInto }) => ({
          session_id: id,
          user_id: visit.key,
          started_at: visit.startMs,
          ended_at: visit.endMs,
          events: visit.pages,
          page_views: visit.pages,
          product_views: 0,
          carts: 0,
          checkouts: 0,
          purchases: 0,
          revenue_minor: {},
          funnel_stage: 'visit',
          entry_page: null,
          exit_page: null,
          final,
          merged_into: mergedInto,
          partition,
          position: visit.position,
        }),
      }),
    ],
  },
}

let driver: Driver
let ids = 0
beforeEach(async () => {
  driver = await createDriver({ jobs: [visits] })
})
const page = (time: string, event_id = `event-${++ids}`) =>
  driver.send(CLICKSTREAM, {
    event_id,
    user_id: 'ada',
    event_type: 'page_view',
    event_time: `2026-01-15T${time}Z`,
  })
/** [pages, final, position] of each visit that is not merged into another. */
const shown = async () =>
  (await driver.rows('sessions'))
    .filter((row) => row.merged_into === null)
    .map((row) => [row.page_views, row.final, row.position])

describe('a row', () => {
  it('is there at once, grows, and becomes final', async () => {
    await page('12:00:00')
    expect(await shown()).toEqual([[1, false, 0]])

    await page('12:02:00')
    expect(await shown()).toEqual([[2, false, 1]])

    // The watermark passes 12:07, five minutes after the last page, when this event comes: offset 2 has made the visit final.
    await page('12:10:00')
    expect(await shown()).toEqual([
      [2, true, 2],
      [1, false, 2],
    ])
  })

  it('that turns out to be a part of another stays as a tombstone which names it', async () => {
    await page('12:00:00')
    await page('12:05:05')
    expect(await shown()).toHaveLength(2)

    // The missing link. The elder keeps its id; the other one is not deleted, since somebody may have read it already.
    await page('12:03:00')
    expect(await shown()).toEqual([[3, false, 2]])
    const [elder, younger] = await driver.rows('sessions')
    expect(younger).toMatchObject({ merged_into: elder?.session_id, final: true })
  })
})

describe('when the process dies', () => {
  it('a fresh one loads the last checkpoint, and reads again what came after it', async () => {
    await page('12:00:00')
    await driver.checkpoint()
    await page('12:01:00')
    await page('12:02:00')
    await driver.crash()
    expect(await shown()).toEqual([[3, false, 2]])
  })

  it('nothing counts twice, since a row is only replaced by one of a higher position', async () => {
    await page('12:00:00')
    await page('12:01:00')
    const before = await driver.rows('sessions')

    // Written, but never checkpointed: everything is read again from the start, and every row made again. Those of offset 0 are refused by the table,
    // which holds the visit as of offset 1; and that one comes out the same, since it is computed from the same records.
    await driver.crash()
    expect(await driver.rows('sessions')).toEqual(before)
  })

  it('in the middle of anything, the tables at the end are those of a quiet run', async () => {
    const times = ['12:00:00', '12:04:00', '12:09:05', '12:08:59', '12:30:00', '12:29:55', '13:00:00']
    for (const time of times) await page(time, `a page at ${time}`)
    const quiet = await driver.rows('sessions')

    driver = await createDriver({ jobs: [visits] })
    for (const [i, time] of times.entries()) {
      await page(time, `a page at ${time}`)
      if (i % 3 === 0) await driver.checkpoint()
      if (i % 2 === 0) await driver.crash()
    }
    expect(await driver.rows('sessions')).toEqual(quiet)
  })

  it('an orderly restart is the same with nothing to read again', async () => {
    await page('12:00:00')
    await driver.restart()
    await page('12:04:00')
    expect(await shown()).toEqual([[2, false, 1]])
  })
})

/*
 * For this to hold, an operator must be a function of its partition's records: no clock, no randomness, no look at how the records came in batches. The
 * operators that are there keep to it. If you write one, streams/testing/operator-run.ts puts it through crashes, drains and merges of every kind.
 */
