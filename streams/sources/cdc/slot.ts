/**
 * The replication slot as the server knows it. It is made when a snapshot is complete and not before, so that there is a slot says that there was one.
 * Invariant: a slot that is gone, or has lost what was not read, is an error that names the remedy; nothing goes on silently behind a gap.
 */
import type { Sql } from '../../../db/postgres/connect.ts'
import { parseLsn } from './lsn.ts'

/** Changes were lost between what the log has and what the server still has. */
export class SlotLost extends Error {
  override readonly name = 'SlotLost'

  constructor(slot: string, why: string) {
    super(
      `The replication slot "${slot}" ${why}: changes that are not in the log can no longer be read. Take a new snapshot, which brings the log to the tables' ` +
        'present state: streamforge cdc resnapshot. The states in between are lost; a larger max_slot_wal_keep_size keeps more for a source that is away.',
    )
  }
}

export interface SlotState {
  /** Process of the server that sends to whoever reads it now. */
  readonly activePid: number | null
  readonly isLost: boolean
  /** reserved, extended, unreserved or lost: from `unreserved` on it is about to be. */
  readonly walStatus: string | null
  readonly lostBecause: string | null
  readonly confirmedLsn: number
  /** WAL that the server has written and the slot's reader has not acknowledged. */
  readonly lagBytes: number
  /** How much more may be written before the slot is lost; null: any. */
  readonly safeBytes: number | null
}

/** @returns null where there is none */
export async function readSlot(sql: Sql, slot: string): Promise<SlotState | null> {
  // By JSON, since a column of newer servers may not be there.
  const [row] = await sql<{ state: string; lag: number }[]>`
    SELECT to_json(s)::text AS state,
      pg_wal_lsn_diff(CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END, s.confirmed_flush_lsn)::int8 AS lag
    FROM pg_replication_slots s WHERE slot_name = ${slot} AND slot_type = 'logical' AND database = current_database()`
  if (!row) return null
  const state = JSON.parse(row.state) as {
    active_pid: number | null
    wal_status: string | null
    invalidation_reason?: string | null
    confirmed_flush_lsn: string | null
    safe_wal_size: number | null
  }
  return {
    activePid: state.active_pid,
    isLost: state.wal_status === 'lost' || (state.invalidation_reason ?? null) !== null,
    walStatus: state.wal_status,
    lostBecause: state.invalidation_reason ?? null,
    confirmedLsn: parseLsn(state.confirmed_flush_lsn ?? '0/0'),
    lagBytes: Math.max(0, row.lag ?? 0),
    safeBytes: state.safe_wal_size,
  }
}

/** Where the server's WAL has come to. */
export async function currentLsn(sql: Sql): Promise<number> {
  const [row] = await sql<{ lsn: string }[]>`
    SELECT (CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END)::text AS lsn`
  return parseLsn(row!.lsn)
}
