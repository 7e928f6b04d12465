/**
 * The simulator against a running edge: its events at their time of arrival, until enough or told to stop.
 * Invariant: events happen when they are sent. Where sending falls behind (a slow edge, a machine that slept) the simulated time is moved on
 * rather than made up for, so no backlog of old events follows.
 */
import type { Clock } from '../time/clock.ts'
import { createSender, type SendCounts, SendFailed } from './send.ts'
import { simulate } from './simulate.ts'

export interface RunSimulatorOptions {
  edgeUrl: string
  writeKey: string
  clock: Clock
  seed: number
  /** Events per second, on average. */
  rate: number
  /** Default without end. */
  events?: number
  signal?: AbortSignal
  /** How long the edge may be away, ms; default without end. */
  patienceMs?: number
  /** Called about once a second. */
  onStatus?: (counts: Readonly<SendCounts>, elapsedMs: number) => void
  /** Called with the first event that the edge refuses, and why: the simulator sends none that should be. */
  onRejected?: (message: string, event: object) => void
}

/** The clock is not asked more often than this: at high rates several events share a turn. */
const TURN_MS = 10
const BEHIND_MAX_MS = 2_000

/** Resolves when all events are sent, or the signal aborts. @throws SendFailed */
export async function runSimulator(options: RunSimulatorOptions): Promise<Readonly<SendCounts>> {
  const { clock, signal } = options
  const startMs = clock.now()
  let movedMs = 0
  let statusAt = startMs
  const sender = createSender<null>({
    edgeUrl: options.edgeUrl,
    writeKey: options.writeKey,
    clock,
    // Fewer, larger requests: one in flight per topic is enough for tens of thousands a second.
    concurrency: 1,
    patienceMs: options.patienceMs ?? Number.POSITIVE_INFINITY,
    ...(signal ? { signal } : {}),
    onRejected: (_, refusal, event) => options.onRejected?.(`${refusal.code}: ${refusal.message}`, event),
  })
  const events = options.events === undefined ? {} : { events: options.events }
  try {
    for (const item of simulate({ seed: options.seed, rate: options.rate, startMs, ...events })) {
      let dueMs = item.arrivalMs + movedMs
      while (dueMs > clock.now()) {
        if (signal?.aborted) return sender.counts
        await clock.sleep(Math.max(TURN_MS, Math.min(dueMs - clock.now(), 1_000)), signal)
      }
      const now = clock.now()
      if (now - dueMs > BEHIND_MAX_MS) {
        movedMs += now - dueMs
        dueMs = now
      }
      if (now - statusAt >= 1_000) {
        statusAt = now
        options.onStatus?.(sender.counts, now - startMs)
      }
      const event = movedMs === 0 ? item.event : { ...item.event, event_time: item.event.event_time + movedMs }
      const full = sender.send({ topic: item.topic, event, source: null })
      if (full !== undefined) await full
    }
    await sender.idle()
  } catch (error) {
    if (!(error instanceof SendFailed && error.reason === 'aborted')) throw error
  }
  return sender.counts
}
