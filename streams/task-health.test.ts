/** What a streams process tells of its tasks, and when it calls itself stuck. */
import { describe, expect, it } from 'vitest'
import { createRegistry } from '../observability/metrics.ts'
import { createMonitor } from './monitor.ts'
import { STUCK_AFTER_MS, watchTasks } from './task-health.ts'
import { VirtualClock } from './testing/virtual-clock.ts'

const AT = { topic: 'transactions.orders', partition: 2 }
const progress = {
  ...AT,
  epoch: 1,
  nextOffset: 90,
  endOffset: 100,
  watermarkMs: Date.UTC(2026, 0, 1),
  events: 90,
  outcomes: { late: 0, duplicate: 0, dead_letter: 0 },
  live: true,
}
const flush = (part: Partial<typeof progress> = {}) => ({
  seconds: 0,
  rows: 0,
  features: 0,
  announced: {},
  progress: [{ ...progress, ...part }],
})
const restored = {
  nextOffset: null,
  fallbacks: [],
  startOffset: 0,
  epoch: 1,
  counts: { events: 0, outcomes: { late: 0, duplicate: 0, dead_letter: 0 } },
}

describe('the tasks of a streams process', () => {
  function watch() {
    const clock = new VirtualClock(1_000)
    const watched = watchTasks({ owner: 'me-1', clock })
    return { clock, watched, tell: watched.observer as Required<typeof watched.observer> }
  }

  it('come and go with the partitions, and show how far they are', () => {
    const { watched, tell } = watch()
    expect(watched.report()).toMatchObject({ status: 'standby', owner: 'me-1', tasks: [], lag: 0 })
    tell.restored(AT, restored)
    expect(watched.report()).toMatchObject({ status: 'ok', tasks: [{ ...AT, status: 'restored', lag: null }] })
    tell.flushed(flush())
    const task = { ...AT, status: 'live', lag: 10, watermark: '2026-01-01T00:00:00.000Z', events: 90 }
    expect(watched.report()).toMatchObject({ status: 'ok', lag: 10, tasks: [task] })
    tell.flushed(flush({ live: false }))
    expect(watched.report().tasks).toMatchObject([{ status: 'catching_up' }])
    tell.flushed(flush({ nextOffset: 100 }))
    expect(watched.report().tasks).toMatchObject([{ status: 'idle', lag: 0 }])
    tell.released(AT)
    // A flush that was under way.
    tell.flushed(flush())
    expect(watched.report()).toMatchObject({ status: 'standby', tasks: [] })
  })

  it('are stuck when nothing is written for long, and name the store that is waited for', async () => {
    const { clock, watched, tell } = watch()
    tell.restored(AT, restored)
    tell.flushed(flush())
    tell.retrying('results', new Error('connection refused'), 50)
    expect(watched.report()).toMatchObject({
      status: 'ok',
      waiting_for: { store: 'results', message: 'connection refused' },
    })
    await clock.advance(STUCK_AFTER_MS + 1)
    const monitor = createMonitor({ tasks: watched, metrics: createRegistry() })
    expect(watched.report().status).toBe('stuck')
    expect((await monitor(new Request('http://x/health'))).status).toBe(503)
    tell.flushed(flush())
    expect(watched.report()).toMatchObject({ status: 'ok', waiting_for: null })
    expect((await monitor(new Request('http://x/health'))).status).toBe(200)
  })

  it('without partitions wait for ever in good health, unless a store keeps them from any', async () => {
    const { clock, watched, tell } = watch()
    await clock.advance(STUCK_AFTER_MS * 10)
    expect(watched.report().status).toBe('standby')
    tell.retrying('schema registry', new Error('no'), 50)
    expect(watched.report().status).toBe('stuck')
  })
})

it('the monitor has two pages, and says so at every other', async () => {
  const tasks = watchTasks({ owner: 'me', clock: new VirtualClock(0) })
  const monitor = createMonitor({ tasks, metrics: createRegistry({ processMetrics: true }) })
  const metrics = await monitor(new Request('http://x/metrics'))
  expect(metrics.headers.get('content-type')).toMatch(/^text\/plain/)
  expect(await metrics.text()).toContain('process_cpu_seconds_total')
  expect((await monitor(new Request('http://x/'))).status).toBe(404)
  expect((await monitor(new Request('http://x/health', { method: 'POST' }))).status).toBe(405)
})
