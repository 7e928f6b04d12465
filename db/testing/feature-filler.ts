/** A process of the feature stores' tests: `feature-filler.ts <folder>` writes users until a write fails; prints how many were written, and the error. */
import { openEmbeddedFeatures } from '../features/embedded.ts'
import { clickFeatures } from './feature-values.ts'

const store = await openEmbeddedFeatures(process.argv[2] ?? '')
const value = clickFeatures({ last_page: 'p'.repeat(1_000) })
for (let written = 0; ; written += 50) {
  const writes = Array.from({ length: 50 }, (_, i) => ({
    userId: `user-${written + i}`,
    part: 'clicks' as const,
    partition: 0,
    position: written + i,
    value,
  }))
  try {
    await store.write(writes)
  } catch (error) {
    process.stdout.write(JSON.stringify({ written, error: error instanceof Error ? error.message : String(error) }))
    break
  }
}
await store.close()
