/**
 * A snapshot by command, whatever was before: the remedy for a lost slot. A source that runs meanwhile waits, and follows the new slot when it is there.
 * Invariant: the old slot goes first, so that nobody appends what is older than the snapshot behind it.
 */
import { connect, type Sql } from '../../../db/postgres/connect.ts'
import { changeTopic } from '../../contract/cdc.ts'
import { prepareDatabase } from './catalog.ts'
import type { CdcSettings } from './settings.ts'
import { readSlot } from './slot.ts'
import { type SnapshotDeps, takeSnapshot } from './snapshot.ts'
import { readTails } from './tails.ts'

const DROP_ATTEMPTS = 50
const DROP_PAUSE_MS = 200

export async function resnapshot(settings: CdcSettings, deps: SnapshotDeps): Promise<void> {
  const database = connect(settings.url, { max: 1, name: 'streamforge-cdc-resnapshot', statementTimeoutMs: 15_000 })
  try {
    const { sql } = database
    await prepareDatabase(sql, settings)
    await dropSlot(sql, settings.slot, deps)
    const tails = await readTails(deps.log, settings.tables.map(changeTopic))
    await takeSnapshot(sql, settings, tails, deps)
  } finally {
    await database.close()
  }
}

/** A slot that is in use can't be dropped; who uses it comes back at once, so several attempts may be needed. */
async function dropSlot(sql: Sql, slot: string, { clock, signal }: SnapshotDeps): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    const state = await readSlot(sql, slot)
    if (!state) return
    try {
      if (state.activePid !== null) await sql`SELECT pg_terminate_backend(${state.activePid}, 5000)`
      await sql`SELECT pg_drop_replication_slot(${slot}::name)`
    } catch (error) {
      const { code } = error as { code?: unknown }
      if (code === UNDEFINED_OBJECT) return
      if (code !== OBJECT_IN_USE || attempt === DROP_ATTEMPTS || signal.aborted) throw error
      await clock.sleep(DROP_PAUSE_MS, signal)
    }
  }
}
const UNDEFINED_OBJECT = '42704'
const OBJECT_IN_USE = '55006'
