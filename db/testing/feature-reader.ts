/**
 * A thread of the feature stores' tests: reads the users a, b and c of the embedded store in `workerData.folder` until all have come to position
 * `workerData.last`, and posts how often it read and what was wrong: a position that went back, or a value that is not that position's.
 */
import { setImmediate as turn } from 'node:timers/promises'
import { parentPort, workerData } from 'node:worker_threads'
import { openEmbeddedFeatures } from '../features/embedded.ts'

const { folder, last } = workerData as { folder: string; last: number }
const store = await openEmbeddedFeatures(folder)
const seen = new Map<string, number>()
const faults: string[] = []
let reads = 0
while (['a', 'b', 'c'].some((user) => (seen.get(user) ?? 0) < last) && faults.length === 0) {
  for (const user of ['a', 'b', 'c']) {
    const clicks = (await store.read(user))?.clicks
    if (!clicks) continue
    reads++
    const before = seen.get(user) ?? 0
    if (clicks.position < before) faults.push(`${user} went from ${before} back to ${clicks.position}`)
    if (
      clicks.value.total_events !== clicks.position ||
      clicks.value.last_page?.length !== (clicks.position * 137) % 3_000
    ) {
      faults.push(`${user} at ${clicks.position} has the value of ${clicks.value.total_events}`)
    }
    seen.set(user, clicks.position)
  }
  await turn()
}
await store.close()
parentPort?.postMessage({ reads, faults })
