import { beforeAll, describe, expect, it } from 'vitest'
import { withPostgres } from '../testing/postgres.ts'
import { resultRow } from '../testing/result-rows.ts'
import { reviewAlert } from './alert-reviews.ts'
import { auditLog } from './audit.ts'
import { connect, type Sql } from './connect.ts'
import { alertChanges, type ChangePlace, isKnownPlace, newestChange } from './queries/alert-changes.ts'
import { fraudAlert, fraudAlerts } from './queries/alerts.ts'
import { createResultStore } from './result-store.ts'

const postgres = withPostgres()
let sql: Sql
let url: string

beforeAll(async () => {
  ;({ sql, url } = await postgres.database({ max: 12 }))
})

const AT = Date.UTC(2026, 0, 15, 12)
const actor = (username: string) => ({ username, address: null })
const put = (...rows: ReturnType<typeof alert>[]) =>
  createResultStore(sql).apply({ outbox: [], progress: [], rows: { fraud_alerts: rows } })
const alert = (alert_id: string, over: Parameters<typeof resultRow<'fraud_alerts'>>[1] = {}) =>
  resultRow('fraud_alerts', { alert_id, ...over })
const review = (alertId: string, state: 'open' | 'confirmed' | 'dismissed', note: string | null, who = 'ada') =>
  reviewAlert(sql, { alertId, state, note, by: actor(who), at: AT })

describe('reviews of alerts', () => {
  it('start open, and keep every step with its note', async () => {
    await put(alert('r-1'))
    expect((await fraudAlert(sql, 'r-1'))?.review).toEqual({ state: 'open', at: null, by: null })
    expect(await review('r-1', 'confirmed', 'a stolen card', 'ada')).toBe(true)
    expect(await review('r-1', 'dismissed', 'no: a gift \0 for the office', 'ben')).toBe(true)
    expect(await fraudAlert(sql, 'r-1')).toMatchObject({
      review: { state: 'dismissed', at: AT, by: 'ben' },
      notes: [
        { by: 'ada', state: 'confirmed', note: 'a stolen card', at: AT },
        { by: 'ben', state: 'dismissed', note: 'no: a gift \ufffd for the office' },
      ],
    })
    expect(await review('nobody knows it', 'confirmed', null)).toBe(false)
  })

  it('lose no note and no audit entry when many come at once', async () => {
    await put(alert('r-many'))
    const notes = Array.from({ length: 40 }, (_, i) => `note ${i}`)
    await Promise.all(notes.map((note, i) => review('r-many', i % 2 ? 'confirmed' : 'dismissed', note, `u${i}`)))
    const found = await fraudAlert(sql, 'r-many')
    expect(found?.notes.map(({ note }) => note).sort()).toEqual([...notes].sort())
    expect(found?.review).toMatchObject({ state: found?.notes.at(-1)?.state, by: found?.notes.at(-1)?.by })
    const { items } = await auditLog(sql, { target: 'r-many', limit: 100 })
    expect(items.map(({ action, detail }) => [action, detail.note])).toEqual(notes.map(() => ['alert.review', true]))
  })

  it('stay with an alert that is superseded, and are shown by the one that took its place', async () => {
    await put(alert('r-old', { position: 5 }))
    await review('r-old', 'confirmed', 'called the customer')
    await put(
      alert('r-old', { position: 6, state: 'superseded', superseded_by: 'r-new' }),
      alert('r-new', { position: 6, supersedes: ['r-old'] }),
    )
    expect(await fraudAlert(sql, 'r-old')).toMatchObject({
      state: 'superseded',
      review: { state: 'confirmed' },
      superseded_at: expect.any(Number),
    })
    expect(await fraudAlert(sql, 'r-new')).toMatchObject({
      review: { state: 'open' },
      earlierReviews: [{ alert_id: 'r-old', state: 'confirmed', by: 'ada' }],
    })
  })

  it('select alerts, beside rule and time', async () => {
    const times = { rule_id: 'filtered', first_at: AT, last_at: AT, triggered_at: AT }
    await put(alert('f-1', times), alert('f-2', { ...times, triggered_at: AT + 1000 }), alert('f-3', times))
    await review('f-1', 'confirmed', null)
    await review('f-3', 'open', 'look again')
    const ids = async (filter: object) =>
      (await fraudAlerts(sql, { ruleId: 'filtered', limit: 10, ...filter })).items.map(({ alert_id }) => alert_id)
    expect(await ids({})).toEqual(['f-2', 'f-3', 'f-1'])
    expect(await ids({ review: 'open' })).toEqual(['f-2', 'f-3'])
    expect(await ids({ review: 'confirmed' })).toEqual(['f-1'])
    expect(await ids({ review: 'dismissed' })).toEqual([])
    expect(await ids({ from: AT + 1 })).toEqual(['f-2'])
    expect(await ids({ to: AT + 1000 })).toEqual(['f-3', 'f-1'])
    expect(await ids({ ruleId: 'none' })).toEqual([])
  })
})

describe('the order in which alerts changed', () => {
  const idsSince = async (place: ChangePlace) =>
    (await alertChanges(sql, { after: place, limit: 100 })).map(({ alert }) => alert.alert_id)
  /** Until all that is written can be told: whatever the server does in a transaction that began before holds it back, an analysis of its own too. */
  const allTold = () =>
    expect
      .poll(
        async () => {
          const [changes] = await sql<{ told: boolean }[]>`
            SELECT coalesce(max(changed_in) < pg_snapshot_xmin(pg_current_snapshot()), true) AS told FROM alert_changes`
          return changes?.told
        },
        { timeout: 60_000 },
      )
      .toBe(true)

  it('names each once, as it is now, also where only its review changed', async () => {
    await allTold()
    const start = await newestChange(sql)
    expect(await idsSince(start)).toEqual([])
    await put(alert('c-1'), alert('c-2'))
    await put(alert('c-1', { position: 1_000_000, final: true }))
    await allTold()
    const changes = await alertChanges(sql, { after: start, limit: 100 })
    expect(changes.map(({ alert }) => [alert.alert_id, alert.final])).toEqual([
      ['c-2', false],
      ['c-1', true],
    ])
    const [first, second] = changes.map(({ place }) => place)
    expect(await idsSince(first!)).toEqual(['c-1'])
    expect(await idsSince(second!)).toEqual([])
    expect(await alertChanges(sql, { after: start, until: first!, limit: 100 })).toHaveLength(1)
    await review('c-2', 'dismissed', null)
    await allTold()
    expect((await alertChanges(sql, { after: second!, limit: 100 })).map(({ alert }) => alert.review.state)).toEqual([
      'dismissed',
    ])
  })

  it('passes nothing over while a transaction that began earlier is still open', async () => {
    const slow = connect(url, { max: 1 })
    await allTold()
    const start = await newestChange(sql)
    let early!: () => void
    const holding = new Promise<void>((resolve) => {
      early = resolve
    })
    let noted!: () => void
    const written = new Promise<void>((resolve) => {
      noted = resolve
    })
    const transaction = slow.sql.begin(async (tx) => {
      await tx`UPDATE fraud_alerts SET position = position + 1 WHERE alert_id = 'c-1'`
      noted()
      await holding
    })
    await written
    await put(alert('c-late'))
    // It has been written, and is told only when what began before it has ended.
    expect(await idsSince(start)).toEqual([])
    early()
    await transaction
    await allTold()
    expect(await idsSince(start)).toEqual(['c-1', 'c-late'])
    await slow.close()
  })

  it('knows a place that this database can not have given out', async () => {
    expect(await isKnownPlace(sql, await newestChange(sql))).toBe(true)
    expect(await isKnownPlace(sql, { transaction: '999999999', alertId: '' })).toBe(false)
  })
})
