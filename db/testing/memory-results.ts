/**
 * Results and manifests in memory: what the broker-free driver and the seeded simulation flush to. No PostgreSQL is loaded.
 *
 * Invariant: it answers and refuses exactly as db/postgres/result-store.ts and manifest-store.ts do; result-store-suite.ts holds both to it.
 * Every call is atomic, and what goes in or out is a copy: a store shares no object with the task.
 */
import { type PersonalTable, RESULT_TABLES, type ResultRows, type ResultTable } from '../../streams/contract/results.ts'
import { partitionKey, type TopicPartition } from '../../streams/log/event-log.ts'
import type {
  Flush,
  ForgottenSubject,
  Manifest,
  ManifestStore,
  OutboxRecord,
  ResultStore,
  TaskProgress,
} from '../../streams/runtime/ports.ts'
import { type Clock, systemClock } from '../../streams/time/clock.ts'
import { fencedAt, MANIFESTS_KEPT, releasedFiles } from '../postgres/manifest-rules.ts'
import { forgottenIn, isOf, isPersonal, withoutPerson } from '../postgres/result-forgetting.ts'
import { cleanRecord, compareKeys, keyOf, newestByKey, replaces } from '../postgres/result-version.ts'

export interface MemoryResults {
  readonly results: ResultStore
  readonly manifests: ManifestStore
  /** Copies of a table's rows, sorted by key. */
  rows<T extends ResultTable>(table: T): ResultRows[T][]
  /** Every table that has rows, sorted by key: what golden files keep. */
  tables(): { [T in ResultTable]?: ResultRows[T][] }
  /** The newest progress of each task, by topic and partition. */
  progress(): TaskProgress[]
}

interface Task {
  at: TopicPartition
  epoch: number
  progress: TaskProgress | null
  /** Newest first. */
  manifests: Manifest[]
}

/** @param clock tells how old what is unpublished is */
export function createMemoryResults(clock: Pick<Clock, 'now'> = systemClock): MemoryResults {
  const tables = new Map(RESULT_TABLES.map((table) => [table, new Map<string, ResultRows[ResultTable]>()]))
  const outbox = new Map<string, { record: OutboxRecord; published: boolean; appliedMs: number }>()
  const tasks = new Map<string, Task>()

  const taskAt = (at: TopicPartition): Task => {
    const key = partitionKey(at)
    let task = tasks.get(key)
    if (!task) {
      task = { at: { topic: at.topic, partition: at.partition }, epoch: 0, progress: null, manifests: [] }
      tasks.set(key, task)
    }
    return task
  }
  const refuseOlder = (at: TopicPartition, epoch: number): void => {
    const task = tasks.get(partitionKey(at))
    if (task && task.epoch > epoch) throw fencedAt(at, epoch, task.epoch)
  }

  function applyRows<T extends ResultTable>(table: T, rows: readonly ResultRows[T][]): void {
    const stored = tables.get(table)!
    for (const row of newestByKey(table, rows)) {
      const key = JSON.stringify(keyOf(table, row))
      const known = stored.get(key)
      if (!known || replaces(row, known)) stored.set(key, structuredClone(row))
    }
  }

  function forgetIn<T extends PersonalTable>(table: T, forgotten: readonly ForgottenSubject[]): void {
    const stored = tables.get(table)! as Map<string, ResultRows[T]>
    for (const subject of forgottenIn(table, forgotten)) {
      const theirs = [...stored].filter(([, row]) => isOf(row, subject))
      for (const [key] of theirs) stored.delete(key)
      applyRows(
        table,
        theirs.map(([, row]) => withoutPerson(table, row, subject)),
      )
    }
  }

  const results: ResultStore = {
    async apply(flush: Flush) {
      // All checks come before the first write: a refused flush leaves nothing behind, as a rolled-back transaction does.
      for (const progress of flush.progress) refuseOlder(progress, progress.epoch)
      for (const progress of flush.progress) {
        const task = taskAt(progress)
        task.epoch = progress.epoch
        task.progress = structuredClone(progress)
      }
      for (const table of RESULT_TABLES) {
        applyRows(table, flush.rows[table] ?? [])
        if (isPersonal(table)) forgetIn(table, flush.forgotten ?? [])
      }
      const due = new Map<string, OutboxRecord>()
      for (const record of flush.outbox.map(cleanRecord)) {
        if (!outbox.has(record.id))
          outbox.set(record.id, { record: copyRecord(record), published: false, appliedMs: clock.now() })
        const entry = outbox.get(record.id)!
        if (!entry.published) due.set(record.id, copyRecord(entry.record))
      }
      return [...due.values()]
    },
    async markPublished(ids) {
      for (const id of ids) {
        const entry = outbox.get(id)
        if (entry)
          Object.assign(entry, { published: true, record: { ...entry.record, key: null, value: Buffer.alloc(0) } })
      }
    },
    async unpublished(ageMs) {
      const latestMs = clock.now() - ageMs
      return [...outbox.values()]
        .filter((entry) => !entry.published && entry.appliedMs <= latestMs)
        .map((entry) => copyRecord(entry.record))
    },
  }

  const manifests: ManifestStore = {
    async beginEpoch(at, _owner) {
      const task = taskAt(at)
      task.epoch += 1
      return task.epoch
    },
    async manifests(at) {
      return structuredClone(tasks.get(partitionKey(at))?.manifests ?? [])
    },
    async save(at, epoch, manifest, kept = MANIFESTS_KEPT) {
      const task = tasks.get(partitionKey(at))
      if (!task || task.epoch > epoch) throw fencedAt(at, epoch, task?.epoch ?? null)
      const all = [structuredClone(manifest), ...task.manifests]
      task.manifests = all.slice(0, kept)
      return releasedFiles(task.manifests, all.slice(kept))
    },
  }

  function rows<T extends ResultTable>(table: T): ResultRows[T][] {
    // The map of a table holds rows of that table only: applyRows is its one writer.
    const stored = [...(tables.get(table)?.values() ?? [])] as ResultRows[T][]
    return structuredClone(stored).sort((a, b) => compareKeys(keyOf(table, a), keyOf(table, b)))
  }

  return {
    results,
    manifests,
    rows,
    tables: () => {
      const filled = RESULT_TABLES.filter((table) => (tables.get(table)?.size ?? 0) > 0)
      return Object.fromEntries(filled.map((table) => [table, rows(table)]))
    },
    progress: () =>
      [...tasks.values()]
        .flatMap((task) => (task.progress ? [structuredClone(task.progress)] : []))
        .sort((a, b) => compareKeys([a.topic, a.partition], [b.topic, b.partition])),
  }
}

const copyRecord = (record: OutboxRecord): OutboxRecord => ({
  id: record.id,
  topic: record.topic,
  key: record.key,
  value: Buffer.from(record.value),
  ...(record.headers ? { headers: { ...record.headers } } : {}),
})
