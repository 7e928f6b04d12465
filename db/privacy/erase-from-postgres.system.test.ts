/** What is forgotten of a person in PostgreSQL, and what is not: rows of others, and what came after the erasure. */
import { randomUUID } from 'node:crypto'
import { beforeAll, expect, it } from 'vitest'
import { CLICKSTREAM, ORDERS } from '../../streams/contract/topics.ts'
import type { Sql } from '../postgres/connect.ts'
import {
  completeErasure,
  erasuresToStart,
  noteErasureState,
  noteHindrance,
  noteLogEnds,
  noteRecords,
  noteSubject,
  openErasure,
} from '../postgres/erasure-progress.ts'
import { erasure, requestErasure } from '../postgres/erasures.ts'
import { createResultStore } from '../postgres/result-store.ts'
import { withPostgres } from '../testing/postgres.ts'
import { SAMPLE_ROWS } from '../testing/result-rows.ts'
import { eraseFromOutbox, eraseFromPostgres, personalRows, vacuumErased } from './erase-from-postgres.ts'

const postgres = withPostgres()
let sql: Sql

const ID = 'ada(1)'
const subject = { user_id: ID, pseudonyms: { [ID]: 'erased-x' }, alerts: ['al-1'], from: [] }
const records = [
  { topic: CLICKSTREAM, partition: 0, offset: 100 },
  { topic: ORDERS, partition: 0, offset: 100 },
]
const erase = () => eraseFromPostgres(sql, { subject, records, shadows: 'shadow_' })

beforeAll(async () => {
  ;({ sql } = await postgres.database())
  const session = { ...SAMPLE_ROWS.sessions, partition: 0, entry_page: '/me' }
  const alert = { ...SAMPLE_ROWS.fraud_alerts, partition: 0, position: 7 }
  await createResultStore(sql).apply({
    rows: {
      sessions: [
        { ...session, session_id: `${ID}@a`, user_id: ID, position: 7 },
        { ...session, session_id: `${ID}@b`, user_id: ID, position: 200 },
        { ...session, session_id: 'ada(12)@a', user_id: 'ada(12)', position: 7 },
      ],
      fraud_alerts: [
        { ...alert, alert_id: 'al-1', user_id: ID },
        { ...alert, alert_id: 'al-2', user_id: 'ada(12)' },
      ],
    },
    outbox: [],
    progress: [],
  })
  await sql`INSERT INTO alert_review_notes (alert_id, at, by, state, note) VALUES ('al-1', now(), 'eve', 'open', 'It is Ada.'), ('al-2', now(), 'eve', 'open', 'Somebody else.')`
  await sql`
    INSERT INTO reconciliations (id, from_at, to_at, outcome, message, compared, explained, unexplained, unexplained_minor, open_partitions, records, workflow_id, workflow_run_id, started_at, finished_at)
    VALUES ('r', now(), now(), 'incident', ${`Of the user ${ID} match, of ada(12) too.`}, '{}', '{}', 1, '{}', '[]', 1, 'w', 'w', now(), now())`
  const difference = (ordinal: number, user: string, live: object | null, message: string) => sql`
    INSERT INTO reconciliation_differences (reconciliation_id, ordinal, explained, table_name, cause, key, message, records, minor, live, expected, sample)
    VALUES ('r', ${ordinal}, false, 't', 'c', ${JSON.stringify({ user_id: user })}::text::jsonb, ${message}, 0, '{}', ${live && JSON.stringify(live)}::text::jsonb, NULL, '[]')`
  await difference(1, ID, null, 'm')
  await difference(2, 'ada(12)', null, 'm')
  await difference(3, 'x', { deep: [{ id: `${ID}@a` }] }, 'm')
  await difference(4, 'x', null, `Of ${ID}.`)
  await sql`CREATE SCHEMA shadow_1_1`
  await sql`CREATE TABLE shadow_1_1.sessions (LIKE public.sessions)`
  await sql`INSERT INTO shadow_1_1.sessions SELECT * FROM public.sessions`
  await sql`CREATE TABLE shadow_1_1.refused (event jsonb)`
  await sql`INSERT INTO shadow_1_1.refused VALUES (${JSON.stringify({ anonymous_id: ID })}::text::jsonb), ('{"user_id":"x"}')`
  await sql`INSERT INTO outbox (id, topic, key, value, published_at) VALUES ('p', 't', ${ID}, '', now()), ('q', 't', 'ada(12)', 'x', NULL)`
  await sql`INSERT INTO outbox (id, topic, key, value, created_at) VALUES ('left', 't', ${ID}, 'x', now() - interval '5 minutes')`
})

it('knows what is told of a person', async () => {
  expect(await personalRows(sql, [ID])).toEqual({ alerts: ['al-1'], sessions: 2 })
})

it('forgets the person, and nobody else, and nothing that came later', async () => {
  expect(await erase()).toMatchObject({
    sessions: 1,
    fraud_alerts: 1,
    alert_review_notes: 1,
    reconciliation_differences: 3,
    reconciliations: 1,
    'replay.sessions': 2,
    'replay.refused': 1,
  })
  expect(await sql`SELECT session_id, user_id, entry_page FROM sessions ORDER BY session_id COLLATE "C"`).toEqual([
    { session_id: `${ID}@b`, user_id: ID, entry_page: '/me' },
    { session_id: 'ada(12)@a', user_id: 'ada(12)', entry_page: '/me' },
    { session_id: 'erased-x@a', user_id: 'erased-x', entry_page: null },
  ])
  expect(await sql`SELECT user_id, evidence = '[]' AS empty FROM fraud_alerts ORDER BY alert_id`).toEqual([
    { user_id: 'erased-x', empty: true },
    { user_id: 'ada(12)', empty: false },
  ])
  expect(await sql`SELECT note FROM alert_review_notes ORDER BY id`).toEqual([
    { note: null },
    { note: 'Somebody else.' },
  ])
  expect(await sql`SELECT ordinal FROM reconciliation_differences`).toEqual([{ ordinal: 2 }])
  expect(await sql`SELECT message FROM reconciliations`).toEqual([
    { message: 'Of the user (erased) match, of ada(12) too.' },
  ])
  // Once more changes nothing but the notes, which are empty.
  expect(Object.values(await erase()).reduce((sum, rows) => sum + rows, 0)).toBe(0)
  await vacuumErased(sql)
})

it('what was to be announced of the person is, or never will be; only its id is kept', async () => {
  expect(await eraseFromOutbox(sql, [ID])).toBe(2)
  expect(await sql`SELECT id, key, published_at IS NULL AS waits FROM outbox ORDER BY id`).toEqual([
    { id: 'left', key: null, waits: false },
    { id: 'p', key: null, waits: false },
    { id: 'q', key: 'ada(12)', waits: true },
  ])
  await sql`INSERT INTO outbox (id, topic, key, value) VALUES ('fresh', 't', ${ID}, 'x')`
  expect(await eraseFromOutbox(sql, [ID])).toBeNull()
})

it('what an erasure is held up by stays told while another of its steps goes on, until it is no longer so', async () => {
  const at = Date.UTC(2026, 0, 30, 12)
  const by = { username: 'the-admin', address: null }
  const { id } = await requestErasure(sql, { id: randomUUID(), userId: 'zoe', salt: randomUUID(), by, at })
  await noteErasureState(sql, id, { state: 'running', failure: null, nowMs: at })
  await noteHindrance(sql, id, { why: 'The warehouse is awaited.', nowMs: at })
  await noteErasureState(sql, id, { state: 'waiting_for_log', nowMs: at })
  expect(await erasure(sql, id)).toMatchObject({ state: 'waiting_for_log', failure: 'The warehouse is awaited.' })
  await noteHindrance(sql, id, { why: null, nowMs: at })
  expect(await erasure(sql, id)).toMatchObject({ state: 'waiting_for_log', failure: null })
  await completeErasure(sql, id, at)
})

it('who is asked for twice is erased once; while the log is waited for, what has come since is another erasure’s', async () => {
  let at = Date.UTC(2026, 0, 31, 12)
  const ask = () => {
    at += 1_000
    const by = { username: 'the-admin', address: null }
    return requestErasure(sql, { id: randomUUID(), userId: 'eve', salt: randomUUID(), by, at })
  }
  const first = await ask()
  expect(await ask()).toMatchObject({ id: first.id, state: 'requested' })
  await noteErasureState(sql, first.id, { state: 'failed', failure: 'It was cancelled.', nowMs: at })
  expect(await ask()).toMatchObject({ id: first.id, state: 'requested', failure: null })

  await noteSubject(sql, first.id, { user_id: 'eve', pseudonyms: { eve: 'erased-y' }, alerts: [], from: [] })
  await noteRecords(sql, first.id, records, 7)
  await noteRecords(sql, first.id, records, 8)
  expect((await openErasure(sql, first.id))?.subject).toMatchObject({ told_at: 7, user_id: 'eve' })
  await noteLogEnds(sql, first.id, { ends: records, untilMs: at, nowMs: at })
  const second = await ask()
  expect(second.id).not.toBe(first.id)
  expect((await ask()).id).toBe(second.id)
  // Both go on, also where the first has failed meanwhile.
  await noteErasureState(sql, first.id, { state: 'failed', failure: 'It was cancelled.', nowMs: at })
  expect((await ask()).id).toBe(second.id)
  expect((await erasuresToStart(sql, at)).sort()).toEqual([first.id, second.id].sort())
  await completeErasure(sql, first.id, at)
  expect((await ask()).id).toBe(second.id)
})
