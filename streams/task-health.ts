/**
 * How the tasks of this process are, gathered from the runtime's events: for the health page of a streams process.
 * Invariant: what it says is at most one flush old; a process that has partitions and writes nothing for long is called stuck, whatever the reason.
 */
import { toIso } from './contract/time-text.ts'
import { partitionKey, type TopicPartition } from './log/event-log.ts'
import type { RuntimeObserver } from './runtime/observer.ts'
import type { TaskProgress } from './runtime/ports.ts'
import type { Clock } from './time/clock.ts'

/** A live process flushes at least every second or two; one that has not for so long is stuck. As the edge judges the pipelines. */
export const STUCK_AFTER_MS = 30_000

export interface TaskHealth {
  topic: string
  partition: number
  /** `restored`: has its state, and nothing is written yet. The others as in the edge's `/health/pipelines`. */
  status: 'restored' | 'idle' | 'live' | 'catching_up'
  /** Records not yet read, as last seen; null before the first flush. */
  lag: number | null
  watermark: string | null
  events: number
}

export interface StreamsHealth {
  /** `standby`: no partition is with this process, now or yet. */
  status: 'ok' | 'standby' | 'stuck'
  owner: string
  uptime_seconds: number
  lag: number
  tasks: TaskHealth[]
  /** The store that does not answer, and what it last said. */
  waiting_for: { store: string; message: string } | null
}

export interface TaskWatch {
  observer: RuntimeObserver
  report(): StreamsHealth
}

export function watchTasks({ owner, clock }: { owner: string; clock: Pick<Clock, 'now'> }): TaskWatch {
  const startedMs = clock.now()
  const tasks = new Map<string, { at: TopicPartition; progress: TaskProgress | null }>()
  let movedMs = startedMs
  let waitingFor: StreamsHealth['waiting_for'] = null

  const lose = (at: TopicPartition): void => {
    tasks.delete(partitionKey(at))
  }
  const observer: RuntimeObserver = {
    restored(at) {
      tasks.set(partitionKey(at), { at, progress: null })
      movedMs = clock.now()
      waitingFor = null
    },
    released: lose,
    fenced: lose,
    flushed({ progress }) {
      movedMs = clock.now()
      waitingFor = null
      for (const p of progress) {
        const task = tasks.get(partitionKey(p))
        if (task) task.progress = p
      }
    },
    retrying(store, { message }) {
      waitingFor = { store, message }
    },
  }

  return {
    observer,
    report() {
      const now = clock.now()
      const stuck = now - movedMs > STUCK_AFTER_MS && (tasks.size > 0 || waitingFor !== null)
      const list = [...tasks.values()].map(healthOf)
      list.sort((a, b) => a.topic.localeCompare(b.topic) || a.partition - b.partition)
      return {
        status: stuck ? 'stuck' : tasks.size > 0 ? 'ok' : 'standby',
        owner,
        uptime_seconds: Math.round((now - startedMs) / 1000),
        lag: list.reduce((sum, { lag }) => sum + (lag ?? 0), 0),
        tasks: list,
        waiting_for: waitingFor,
      }
    },
  }
}

function healthOf({ at, progress }: { at: TopicPartition; progress: TaskProgress | null }): TaskHealth {
  const { topic, partition } = at
  if (!progress) return { topic, partition, status: 'restored', lag: null, watermark: null, events: 0 }
  const { endOffset, nextOffset, live, watermarkMs, events } = progress
  const lag = Math.max(0, endOffset - nextOffset)
  const status = lag === 0 ? 'idle' : live ? 'live' : 'catching_up'
  return { topic, partition, status, lag, watermark: watermarkMs === null ? null : toIso(watermarkMs), events }
}
