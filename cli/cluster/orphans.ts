/** Role processes of a platform that was killed: they drain and end by themselves; whoever starts next on the data folder waits for that, within bounds. */
import { isAlive } from '../../db/process.ts'
import type { Clock } from '../../streams/time/clock.ts'
import { findProcesses } from '../processes.ts'

const PATIENCE_MS = 20_000
const POLL_MS = 100

export async function endOrphans(
  dataDir: string,
  { clock, say }: { clock: Clock; say: (s: string) => void },
): Promise<void> {
  const orphans = async () => (await findProcesses(dataDir)).filter(({ parent }) => parent !== null && !isAlive(parent))
  const deadline = clock.now() + PATIENCE_MS
  for (let waited = false; ; waited = true) {
    const left = await orphans()
    if (left.length === 0) return
    if (!waited) say('Waiting for the processes of a platform that was killed …')
    if (clock.now() > deadline) for (const { pid } of left) process.kill(pid, 'SIGKILL')
    await clock.sleep(POLL_MS)
  }
}
