import { expect, it } from 'vitest'
import { createLogger } from '../observability/log.ts'
import { createRegistry } from '../observability/metrics.ts'
import type { RuntimeObserver } from './runtime/observer.ts'
import type { TaskProgress } from './runtime/ports.ts'
import { createStreamsTelemetry } from './telemetry.ts'
import { VirtualClock } from './testing/virtual-clock.ts'

const AT = { topic: 'transactions.orders', partition: 2 }
const counts = (events: number, late = 0) => ({ events, outcomes: { late, duplicate: 0, dead_letter: 0 } })

function watch() {
  const metrics = createRegistry()
  const clock = new VirtualClock(5_000)
  const logger = createLogger({ level: 'silent', component: 'test' })
  const tell = createStreamsTelemetry(metrics, logger, clock) as Required<RuntimeObserver>
  const flushed = (progress: Partial<TaskProgress>) =>
    tell.flushed({
      seconds: 0,
      rows: 0,
      features: 0,
      announced: { 'alerts.fraud': 2 },
      progress: [
        { ...AT, epoch: 1, nextOffset: 90, endOffset: 100, watermarkMs: 1_000, live: true, ...counts(0), ...progress },
      ],
    })
  const series = async (name: string) =>
    (await metrics.metrics()).split('\n').filter((line) => line.startsWith(`streamforge_streams_${name}`))
  return { tell, flushed, series, clock }
}
const restored = { nextOffset: 80, fallbacks: [], startOffset: 80, epoch: 1 }

it('what a process did is counted from where its tasks began, not from what their state had counted before', async () => {
  const { tell, flushed, series } = watch()
  tell.restored(AT, { ...restored, counts: counts(1_000_000, 7) })
  flushed(counts(1_000_010, 7))
  flushed(counts(1_000_030, 8))
  expect(await series('processed')).toEqual([
    'streamforge_streams_processed_events_total{topic="transactions.orders"} 30',
  ])
  expect(await series('refusals_total{topic="transactions.orders",outcome="late"')).toEqual([
    'streamforge_streams_refusals_total{topic="transactions.orders",outcome="late"} 1',
  ])
  expect(await series('announced')).toEqual(['streamforge_streams_announced_total{topic="alerts.fraud"} 4'])
})

it('a partition that went elsewhere leaves no lag behind, and begins anew when it comes back', async () => {
  const { tell, flushed, series } = watch()
  tell.restored(AT, { ...restored, counts: counts(0) })
  flushed(counts(10))
  expect(await series('lag_records')).toHaveLength(1)
  tell.released(AT)
  for (const name of ['lag_records', 'watermark', 'live', 'events{', 'refused_events'])
    expect(await series(name), name).toEqual([])
  tell.restored(AT, { ...restored, counts: counts(500) })
  flushed(counts(501))
  expect(await series('processed')).toEqual([
    'streamforge_streams_processed_events_total{topic="transactions.orders"} 11',
  ])
})

it('tells when checkpoints were last written, and how many could not be', async () => {
  const { tell, series, clock } = watch()
  expect(await series('last_checkpoint')).toEqual(['streamforge_streams_last_checkpoint_timestamp_seconds 5'])
  await clock.advance(2_000)
  tell.checkpointed({ seconds: 0.1, tasks: 1, bytes: 10 })
  expect(await series('last_checkpoint')).toEqual(['streamforge_streams_last_checkpoint_timestamp_seconds 7'])
  await clock.advance(2_000)
  tell.checkpointed({ seconds: 0.1, tasks: 1, bytes: 0 })
  expect(await series('last_checkpoint')).toEqual(['streamforge_streams_last_checkpoint_timestamp_seconds 7'])
  tell.checkpointFailed(AT, new Error('full'))
  expect(await series('checkpoint_failures')).toEqual(['streamforge_streams_checkpoint_failures_total 1'])
})
