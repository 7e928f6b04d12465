/** Makes the middle of a workflow certain: a lock on the lake's catalog holds every commit, so that whoever writes has written its files and waits for its swap. Reading goes on. */
import type { WorkflowHandle } from '@temporalio/client'
import { expect, onTestFinished, vi } from 'vitest'
import type { BatchWorld } from './batch-world.ts'

/** PENDING_ACTIVITY_STATE_CANCEL_REQUESTED */
const CANCEL_REQUESTED = 3
const SOON = { timeout: 60_000, interval: 50 }

/** Holds commits of the lake until it is let go. */
export async function holdCommits({ database: { sql } }: Pick<BatchWorld, 'database'>) {
  const mine = await sql.reserve()
  await mine`BEGIN`
  await mine`LOCK TABLE iceberg_tables IN EXCLUSIVE MODE`
  const waiting = (): Promise<{ pid: number }[]> =>
    sql`SELECT pid FROM pg_stat_activity
      WHERE datname = current_database() AND application_name = 'streamforge-worker' AND wait_event_type = 'Lock'`
  let isHeld = true
  const letGo = async (): Promise<void> => {
    if (!isHeld) return
    isHeld = false
    await mine`ROLLBACK`
    mine.release()
  }
  onTestFinished(() => letGo().catch(() => {}))
  return {
    letGo,
    /** The activity of a cancelled run knows of it: Temporal tells it in the answer to a heartbeat. */
    async cancelDelivered(run: Pick<WorkflowHandle, 'describe'>): Promise<void> {
      const pending = async () => {
        const { state, lastHeartbeatTime } = (await run.describe()).raw.pendingActivities?.[0] ?? {}
        const beatMs = Number(lastHeartbeatTime?.seconds) * 1_000 + Number(lastHeartbeatTime?.nanos) / 1_000_000
        return { state, beatMs }
      }
      await vi.waitFor(async () => expect((await pending()).state).toBe(CANCEL_REQUESTED), SOON)
      // The worker sends a beat when the one before is answered: the second says that it has read what the answer to the first told.
      for (let beats = 0; beats < 2; beats++) {
        const { beatMs } = await pending()
        await vi.waitFor(async () => expect((await pending()).beatMs).toBeGreaterThan(beatMs), SOON)
      }
    },
    /** A commit waits for its swap. */
    reached: (others: readonly number[] = []) =>
      vi.waitFor(async () => {
        const pids = (await waiting()).map(({ pid }) => pid).filter((pid) => !others.includes(pid))
        expect(pids).not.toEqual([])
        return pids
      }, SOON),
    /** The sessions have ended, by themselves or not. */
    over: (pids: readonly number[]) =>
      vi.waitFor(
        async () => expect(await sql`SELECT pid FROM pg_stat_activity WHERE pid IN ${sql(pids)}`).toEqual([]),
        SOON,
      ),
    /** Ends sessions with their statements undone, as a server does that sees its client gone. */
    end: (pids: readonly number[]) =>
      sql`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid IN ${sql(pids)}`,
  }
}
