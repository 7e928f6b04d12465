/**
 * The runtime: poll → process → flush → checkpoint, for the partitions that the log's subscription gives to this process.
 *
 * Delivery (ARCHITECTURE.md, "Exactly-once effect"): the log is the truth, state a cache of it. A flush takes a consistent cut of all tasks and writes rows,
 * features and announcements, each versioned or named by the log position; then checkpoints record the offset of that same cut. Killed between any two
 * steps, the next run reads again from the last checkpoint and writes the same things again, which changes nothing. Records are processed while a flush is
 * being written; one flush is under way at a time.
 */
import type { FeatureStore } from '../../db/features/feature-store.ts'
import { createAlertEncoder, createDecoder, type SchemaRegistry } from '../contract/codec.ts'
import type { AlertRow } from '../contract/results.ts'
import { INPUT_TOPICS, type InputTopic } from '../contract/topics.ts'
import type { Job } from '../jobs/job.ts'
import {
  type EventLog,
  type LogSubscription,
  partitionKey,
  type RecordBatch,
  type TopicPartition,
} from '../log/event-log.ts'
import { HOT_MAX } from '../operators/packed-state.ts'
import type { Clock } from '../time/clock.ts'
import { fieldsRead } from '../topology.ts'
import { Checkpointer, type CheckpointStores, type Snapshot } from './checkpointer.ts'
import { Cut, type RunningTask } from './cut.ts'
import type { RuntimeObserver } from './observer.ts'
import { Fenced, type Flush, type OutboxRecord, type ResultStore } from './ports.ts'
import { retrying, Stopped } from './retry.ts'
import { Task } from './task.ts'
import { type FlushTrace, Followed, type RuntimeTracer, UNTRACED } from './tracer.ts'

export interface RuntimeDeps extends CheckpointStores {
  log: EventLog
  registry: SchemaRegistry
  results: ResultStore
  features: FeatureStore
  topology: readonly Job[]
  clock: Clock
  observer?: RuntimeObserver
  /** Missing: nobody traces. */
  tracer?: RuntimeTracer | undefined
}

export interface RuntimeSettings {
  group: string
  /** Names this process in the tasks table. */
  owner: string
  /** For JSON values that name no currency. */
  defaultCurrency: string
  topics: readonly InputTopic[]
  /** Time between flushes while readers are waiting for the newest state. */
  flushLiveMs: number
  /** While catching up, a flush comes after this time or this many events, whichever is first: there each costs more than it tells. */
  flushBacklogMs: number
  flushBacklogEvents: number
  checkpointMs: number
  /** A task whose lag is at most this is live. */
  liveLagRecords: number
  /** Provisional rows per operator and flush: more are left for the next. */
  rowsPerFlush: number
  /** About how many keys an operator keeps as objects, of those that acted last; all others are packed (operators/packed-state.ts). Only cost depends on it. */
  hotEntries: number
  /** How often progress is written though nothing has changed, so that readers can tell idle from dead. */
  heartbeatMs: number
}

export const DEFAULT_SETTINGS: RuntimeSettings = {
  group: 'streamforge-streams',
  owner: 'streams',
  defaultCurrency: 'TRY',
  topics: INPUT_TOPICS,
  flushLiveMs: 50,
  flushBacklogMs: 1_000,
  flushBacklogEvents: 50_000,
  checkpointMs: 5_000,
  liveLagRecords: 2_000,
  rowsPerFlush: 5_000,
  hotEntries: HOT_MAX,
  heartbeatMs: 1_000,
}

/** Longer than a living process takes from the rows of an announcement to publishing it. */
const LEFT_BEHIND_MS = 60_000

export class StreamRuntime {
  readonly #deps: RuntimeDeps
  readonly #settings: RuntimeSettings
  readonly #observer: RuntimeObserver
  readonly #tracer: RuntimeTracer
  readonly #tasks = new Map<string, RunningTask>()
  readonly #stop = new AbortController()
  #subscription: LogSubscription | undefined
  #encodeAlert: ((row: AlertRow) => Buffer) | undefined
  #inFlight: Promise<void> | undefined
  #failure: Error | undefined
  #eventsSinceFlush = 0
  #lastFlushMs = Number.NEGATIVE_INFINITY
  #lastCheckpointMs = Number.NEGATIVE_INFINITY
  #lastHeartbeatMs = Number.NEGATIVE_INFINITY
  /** Something was left over, or has happened since the last flush. */
  #dirty = false

  constructor(deps: RuntimeDeps, settings: Partial<RuntimeSettings> = {}) {
    this.#deps = deps
    this.#settings = { ...DEFAULT_SETTINGS, ...settings }
    this.#observer = deps.observer ?? {}
    this.#tracer = deps.tracer ?? UNTRACED
    this.#lastCheckpointMs = deps.clock.now()
  }

  /** Runs until {@link stop}; rejects on what can't be retried: an offset the log no longer holds, a bug in an operator. */
  async run(): Promise<void> {
    const { log, registry } = this.#deps
    try {
      this.#encodeAlert = await this.#retry('schema registry', () => createAlertEncoder(registry))
      await this.#publishLeftovers()
    } catch (error) {
      if (error instanceof Stopped) return
      throw error
    }
    // Whoever stops a runtime that has not begun yet must not wait for one that then does.
    if (this.#stop.signal.aborted) return
    const subscription = log.subscribe(this.#settings.group, this.#settings.topics)
    this.#subscription = subscription
    const ticking = this.#tick()
    try {
      await subscription.run({
        assigned: (partitions) => this.#assigned(partitions),
        revoked: (partitions) => this.#revoked(partitions),
        batch: (batch) => this.#batch(batch),
      })
    } catch (error) {
      this.#failure ??= error as Error
    }
    this.#stop.abort()
    await ticking
    await this.#inFlight?.catch(() => undefined)
    if (this.#failure && !(this.#failure instanceof Stopped)) throw this.#failure
  }

  /**
   * Flushes, checkpoints, hands the partitions back, and lets {@link run} resolve.
   * @param graceMs how long a store that doesn't answer is waited for; what is not written then is computed again from the log
   */
  async stop(graceMs = 10_000): Promise<void> {
    const grace = this.#deps.clock.sleep(graceMs, this.#stop.signal).then(() => this.#stop.abort())
    await this.#subscription?.stop()
    this.#stop.abort()
    await grace
  }

  get tasks(): readonly RunningTask[] {
    return [...this.#tasks.values()]
  }

  #retry<R>(what: string, attempt: () => Promise<R>): Promise<R> {
    return retrying(attempt, {
      clock: this.#deps.clock,
      signal: this.#stop.signal,
      onRetry: (error, delayMs) => this.#observer.retrying?.(what, error, delayMs),
    })
  }

  /**
   * Announcements that nobody is about to publish: what a process that died left is announced again by whoever reads its records again, unless the code that
   * does has changed meanwhile.
   */
  async #publishLeftovers(): Promise<void> {
    await this.#publish(await this.#retry('results', () => this.#deps.results.unpublished(LEFT_BEHIND_MS)))
  }

  /** @param traceparents by id: of those that are published within somebody's trace */
  async #publish(
    records: readonly OutboxRecord[],
    traceparents: ReadonlyMap<string, string> = new Map(),
  ): Promise<void> {
    if (records.length === 0) return
    // A crash between the two lines below publishes again; the id lets readers see that it is the same.
    const named = records.map(({ id, topic, key, value, headers }) => {
      const traceparent = traceparents.get(id)
      return { topic, key, value, headers: { ...headers, ...(traceparent !== undefined && { traceparent }), id } }
    })
    await this.#retry('log', () => this.#deps.log.append(named))
    await this.#retry('results', () => this.#deps.results.markPublished(records.map((r) => r.id)))
  }

  async #assigned(partitions: readonly TopicPartition[]): Promise<ReadonlyMap<string, number>> {
    const starts = new Map<string, number>()
    for (const at of partitions) {
      const running = await this.#retry('checkpoints', () => this.#open(at))
      this.#tasks.set(partitionKey(at), running)
      starts.set(partitionKey(at), running.task.nextOffset)
    }
    await this.#checkFeatures()
    return starts
  }

  async #open(at: TopicPartition): Promise<RunningTask> {
    const { log, registry, topology } = this.#deps
    const topic = at.topic as InputTopic
    const followed = this.#deps.tracer && new Followed(at)
    const checkpointer = await Checkpointer.open(this.#deps, at, this.#settings.owner)
    const { task, report } = await checkpointer.restore(
      () =>
        new Task({
          topology,
          topic,
          partition: at.partition,
          decoder: createDecoder(
            topic,
            registry,
            this.#settings.defaultCurrency,
            () => this.#deps.clock.now(),
            fieldsRead(topology, topic),
          ),
          encodeAlert: this.#encodeAlert as (row: AlertRow) => Buffer,
          hotEntries: this.#settings.hotEntries,
          ...(followed && { onNoted: (record, event) => followed.note(record, event) }),
        }),
    )
    const { earliest, next } = await log.bounds(at)
    if (report.nextOffset === null) task.nextOffset = earliest
    this.#observer.restored?.(at, {
      ...report,
      startOffset: task.nextOffset,
      epoch: checkpointer.epoch,
      counts: structuredClone(task.counters),
    })
    return { task, checkpointer, endOffset: next, followed }
  }

  async #batch(batch: RecordBatch): Promise<void> {
    this.#throwFailure()
    const running = this.#tasks.get(partitionKey(batch))
    if (!running) return
    await this.#fetchSchemas(running.task, batch.records)
    running.followed?.read(batch.records, running.task.nextOffset, this.#deps.clock.now())
    running.task.process(batch.records)
    running.endOffset = Math.max(batch.nextOffset, running.task.nextOffset)
    this.#eventsSinceFlush += batch.records.length
    this.#dirty = true
    await this.#maybeFlush()
  }

  /** Only waits where a schema is met for the first time. */
  async #fetchSchemas(task: Task, records: RecordBatch['records']): Promise<void> {
    let fetching = task.prepare(records)
    if (fetching === undefined) return
    await this.#retry('schema registry', () => {
      const attempt = fetching ?? task.prepare(records) ?? Promise.resolve()
      fetching = undefined
      return attempt
    })
  }

  #throwFailure(): void {
    if (this.#failure) throw this.#failure
  }

  isLive({ task, endOffset }: RunningTask): boolean {
    return endOffset - task.nextOffset <= this.#settings.liveLagRecords
  }

  /** Starts a flush if one is due. Waits for the one under way only when too much has gathered behind it. */
  async #maybeFlush(): Promise<void> {
    const { flushLiveMs, flushBacklogMs, flushBacklogEvents } = this.#settings
    const full = this.#eventsSinceFlush >= flushBacklogEvents
    if (this.#inFlight !== undefined) {
      if (!full) return
      while (this.#inFlight !== undefined) await this.#inFlight
      this.#throwFailure()
    }
    const now = this.#deps.clock.now()
    const live = [...this.#tasks.values()].every((t) => this.isLive(t))
    const due = full || now - this.#lastFlushMs >= (live ? flushLiveMs : flushBacklogMs)
    if (!due) return
    if (this.#dirty || now - this.#lastHeartbeatMs >= this.#settings.heartbeatMs) this.#startFlush(false)
  }

  /**
   * Never two at a time: the second's checkpoint would take for written what the first has only taken out. So whoever waited for one looks again, without
   * another `await`, before it starts the next.
   */
  #startFlush(checkpointNow: boolean): void {
    if (this.#inFlight !== undefined) throw new Error('A flush was started while another is under way')
    const flush = this.#flush(checkpointNow)
    this.#inFlight = flush
    flush
      .catch((error: Error) => {
        this.#failure ??= error
        // The subscription learns of it with the next batch; without one it must not wait for ever.
        void this.#subscription?.stop()
      })
      .finally(() => {
        if (this.#inFlight === flush) this.#inFlight = undefined
      })
  }

  /** One flush of all tasks. The cut is taken before the first await. */
  async #flush(checkpointNow: boolean): Promise<void> {
    const startedMs = this.#deps.clock.now()
    this.#lastFlushMs = startedMs
    this.#lastHeartbeatMs = startedMs
    const events = this.#eventsSinceFlush
    this.#eventsSinceFlush = 0
    const cut = new Cut(this.tasks, (t) => (this.isLive(t) ? 'everything' : 'final-only'), this.#settings.rowsPerFlush)
    this.#dirty = cut.more
    // Older checkpoints know the person, so they go as soon as there is one that does not.
    const { forgotten } = cut
    for (const at of forgotten) this.#tasks.get(partitionKey(at))?.checkpointer.forgetOlder()
    const checkpointDue =
      checkpointNow || forgotten.length > 0 || startedMs - this.#lastCheckpointMs >= this.#settings.checkpointMs
    const snapshots = checkpointDue ? this.#takeSnapshots() : null
    // A mere sign of life is worth no trace.
    const isIdle = events === 0 && cut.rowCount === 0 && !snapshots?.length
    const trace = (isIdle ? UNTRACED : this.#tracer).begin({ events, startedMs, followed: cut.followed })
    try {
      await this.#writeCut(cut, startedMs, trace)
      if (snapshots !== null) {
        if (snapshots.length > 0) await trace.step('checkpoint', snapshots.length, () => this.#saveSnapshots(snapshots))
        await this.#checkFeatures()
      }
      trace.end()
    } catch (error) {
      trace.end(error)
      throw error
    }
  }

  /** Rows, then features, then announcements: whoever hears of something can read it. */
  async #writeCut(cut: Cut, startedMs: number, trace: FlushTrace): Promise<void> {
    const { clock, features } = this.#deps
    const { flush, announcements } = await trace.step('results', cut.rowCount, () => this.#apply(cut))
    const written = cut.features
    if (written.length > 0) {
      await trace.step('features', written.length, () => this.#retry('features', () => features.write(written)))
    }
    const traceparents = trace.written(cut.followed, new Set(announcements.map(({ id }) => id)))
    if (announcements.length > 0) {
      await trace.step('publish', announcements.length, () => this.#publish(announcements, traceparents))
    }
    this.#observer.flushed?.({
      seconds: (clock.now() - startedMs) / 1000,
      rows: cut.rowCount,
      features: written.length,
      announced: countByTopic(announcements),
      progress: flush.progress,
    })
  }

  /** Writes the cut. What belongs to a partition that another process has taken over is left out; the rest is not to suffer for it. */
  async #apply(cut: Cut): Promise<{ flush: Flush; announcements: OutboxRecord[] }> {
    for (;;) {
      const { flush } = cut
      try {
        return { flush, announcements: await this.#retry('results', () => this.#deps.results.apply(flush)) }
      } catch (error) {
        if (!(error instanceof Fenced)) throw error
        this.#lose(error)
        cut.leaveOut(error.at)
      }
    }
  }

  /** @throws the error, where the log has no group that could say who owns the partition */
  #lose(fenced: Fenced): void {
    const running = this.#tasks.get(partitionKey(fenced.at))
    this.#tasks.delete(partitionKey(fenced.at))
    this.#observer.fenced?.(fenced.at)
    if (this.#subscription?.lost === undefined) throw fenced
    if (running) this.#subscription.lost(fenced.at)
  }

  #takeSnapshots(): { running: RunningTask; snapshot: Snapshot }[] {
    this.#lastCheckpointMs = this.#deps.clock.now()
    return this.tasks
      .filter(({ task, checkpointer }) => task.nextOffset > checkpointer.savedOffset)
      .map((running) => ({ running, snapshot: running.checkpointer.snapshot(running.task) }))
  }

  async #saveSnapshots(snapshots: readonly { running: RunningTask; snapshot: Snapshot }[]): Promise<void> {
    const startedMs = this.#deps.clock.now()
    let bytes = 0
    for (const { running, snapshot } of snapshots) {
      const at = { topic: running.task.topic, partition: running.task.partition }
      // Lost since the cut was taken.
      if (this.#tasks.get(partitionKey(at)) !== running) continue
      try {
        await running.checkpointer.save(snapshot)
      } catch (error) {
        if (error instanceof Fenced) {
          this.#lose(error)
          continue
        }
        // Not retried here: the next checkpoint, a base, contains this one. Only recovery gets longer meanwhile.
        this.#observer.checkpointFailed?.(at, error as Error)
        continue
      }
      bytes += snapshot.body.length
      // Only for lag tools: the next commit makes up for one that failed.
      await this.#subscription
        ?.commit(at, snapshot.nextOffset)
        .catch((error: Error) => this.#observer.commitFailed?.(at, error))
    }
    this.#observer.checkpointed?.({
      seconds: (this.#deps.clock.now() - startedMs) / 1000,
      tasks: snapshots.length,
      bytes,
    })
  }

  /**
   * The feature store is a projection: one that has lost its marker gets everything again, and so does a task whose features went to another one. The
   * generation is saved with the task's state, so a crash before all has been written doesn't end it.
   */
  async #checkFeatures(): Promise<void> {
    const { features, clock } = this.#deps
    let generation = await this.#retry('features', () => features.generation())
    if (generation === null) {
      const fresh = `${this.#settings.owner}-${clock.now()}`
      await this.#retry('features', () => features.setGeneration(fresh))
      generation = fresh
    }
    let lost = false
    for (const { task } of this.tasks) {
      if (task.featureGeneration === generation) continue
      lost ||= task.featureGeneration !== ''
      task.republishFeatures(generation)
      this.#dirty = true
    }
    if (lost) this.#observer.featuresLost?.()
  }

  /** Drain first: what these tasks have computed is written and checkpointed before another member may begin. */
  async #revoked(partitions: readonly TopicPartition[]): Promise<void> {
    if (!this.#failure) {
      do {
        while (this.#inFlight !== undefined) await this.#inFlight
        this.#throwFailure()
        this.#startFlush(true)
        while (this.#inFlight !== undefined) await this.#inFlight
        this.#throwFailure()
      } while (this.#dirty)
    }
    for (const at of partitions) {
      const running = this.#tasks.get(partitionKey(at))
      await running?.checkpointer.settle()
      this.#tasks.delete(partitionKey(at))
      this.#observer.released?.(at)
    }
  }

  /** Flushes also when no record comes: what is dirty must not wait for one. */
  async #tick(): Promise<void> {
    const { clock } = this.#deps
    while (!this.#stop.signal.aborted) {
      await clock.sleep(this.#settings.flushLiveMs, this.#stop.signal)
      if (this.#stop.signal.aborted || this.#failure || this.#tasks.size === 0) continue
      try {
        await this.#maybeFlush()
      } catch {
        // Kept in #failure by the flush itself.
      }
    }
  }
}

function countByTopic(records: readonly OutboxRecord[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const { topic } of records) counts[topic] = (counts[topic] ?? 0) + 1
  return counts
}
