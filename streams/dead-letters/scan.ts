/**
 * Reading the dead letters: all of a topic in order, one by its id, and their summary. Reads the log only; what is appended meanwhile is not seen.
 *
 * Invariant: memory does not grow with the letters' bytes, only by a few bytes for each letter.
 */
import { setImmediate } from 'node:timers/promises'
import { RecentIds } from '../contract/recent-ids.ts'
import type { EventLog, TopicPartition } from '../log/event-log.ts'
import { generalForm, groupOf } from './cause.ts'
import { type DeadLetter, isNote, positionOf, type ReplayNote, readDeadLetter } from './dead-letter.ts'

type ReadableLog = Pick<EventLog, 'bounds' | 'partitionCount' | 'read'>

const PAGE = 500

/** @param newest looks at so many of the last records of each partition only. A note comes after its letter: it is seen where the letter is */
interface ScanOptions {
  newest?: number
}

/** Letters and notes of a `dlq.` topic that it holds now, in order. */
async function* recordsOf(
  log: ReadableLog,
  topic: string,
  { newest = Number.POSITIVE_INFINITY }: ScanOptions = {},
): AsyncGenerator<DeadLetter | ReplayNote, void, undefined> {
  const count = await log.partitionCount(topic)
  for (let partition = 0; partition < count; partition++) {
    const at: TopicPartition = { topic, partition }
    const { earliest, next } = await log.bounds(at)
    for (let offset = Math.max(earliest, next - newest); offset < next; ) {
      const records = await log.read(at, offset, Math.min(PAGE, next - offset))
      const last = records[records.length - 1]
      if (!last) break
      for (const record of records) if (record.offset < next) yield readDeadLetter(at, record)
      offset = last.offset + 1
      // The embedded log answers at once, for ever: others in this thread want a turn.
      await setImmediate()
    }
  }
}

/** Ids for ever: a horizon without end. */
const idSet = (): { add(id: string): boolean; has(id: string): boolean } => {
  const ids = new RecentIds(Number.POSITIVE_INFINITY)
  return { add: (id) => ids.add(id, 0), has: (id) => ids.has(id) }
}

export interface FoundLetter {
  letter: DeadLetter
  /** Whether there is a note of a replay. */
  replayed: boolean
}

/** Each dead letter of the topic once, oldest first. @throws Error when there is no such topic */
export async function* deadLetters(
  log: ReadableLog,
  topic: string,
  options?: ScanOptions,
): AsyncGenerator<FoundLetter, void, undefined> {
  const replayed = idSet()
  for await (const found of recordsOf(log, topic, options)) if (isNote(found)) replayed.add(found.replayOf)
  const seen = idSet()
  for await (const found of recordsOf(log, topic, options)) {
    if (isNote(found) || !seen.add(found.cause)) continue
    yield { letter: found, replayed: replayed.has(found.cause) }
  }
}

/** @returns null where the position holds no dead letter (any more) */
export async function deadLetter(log: ReadableLog, id: string): Promise<FoundLetter | null> {
  const at = positionOf(id)
  if (!at || at.partition >= (await log.partitionCount(at.topic))) return null
  const { earliest, next } = await log.bounds(at)
  if (at.offset < earliest || at.offset >= next) return null
  const [record] = await log.read(at, at.offset, 1)
  if (record?.offset !== at.offset) return null
  const letter = readDeadLetter(at, record)
  if (isNote(letter)) return null
  for await (const found of recordsOf(log, at.topic))
    if (isNote(found) && found.replayOf === letter.cause) return { letter, replayed: true }
  return { letter, replayed: false }
}

/** Letters that died of the same. */
export interface Cause {
  /** Names the group, see {@link groupOf}; null where it is what is left of too many groups. */
  id: string | null
  topic: string
  reason: string
  /** The messages' common form, or the only one. */
  message: string
  letters: number
  /** Of these, how many were replayed. */
  replayed: number
  firstMs: number
  lastMs: number
  /** Id of the newest. */
  example: string
}

export interface Summary {
  /** Most letters first. */
  causes: Cause[]
  /** Newest first. */
  newest: FoundLetter[]
  letters: number
}

const CAUSES_MAX = 500

/**
 * @param sinceMs letters that died before are left out
 * @param limit how many of the newest to give
 */
export async function summarize(
  log: ReadableLog,
  topics: readonly string[],
  { sinceMs, limit, ...options }: { sinceMs: number; limit: number } & ScanOptions,
): Promise<Summary> {
  const causes = new Map<string, Cause>()
  let newest: FoundLetter[] = []
  let letters = 0
  for (const topic of topics) {
    for await (const found of deadLetters(log, topic, options)) {
      const { letter, replayed } = found
      if (letter.diedAtMs < sinceMs) continue
      letters++
      // In order of time within a partition: the last ones are the newest. Their bytes are not needed here.
      newest.push({ letter: { ...letter, value: letter.value.subarray(0, 0) }, replayed })
      if (newest.length > limit * 2 + 100) newest = youngest(newest, limit)
      const cause = causeFor(causes, letter)
      cause.letters++
      if (replayed) cause.replayed++
      cause.firstMs = Math.min(cause.firstMs, letter.diedAtMs)
      if (letter.diedAtMs >= cause.lastMs) {
        cause.lastMs = letter.diedAtMs
        cause.example = letter.id
      }
    }
  }
  return {
    causes: [...causes.values()].sort((a, b) => b.letters - a.letters || b.lastMs - a.lastMs),
    newest: youngest(newest, limit),
    letters,
  }
}

const youngest = (found: FoundLetter[], limit: number): FoundLetter[] =>
  // Of the same moment, the one that came later.
  found
    .map((entry, i) => ({ entry, i }))
    .sort((a, b) => b.entry.letter.diedAtMs - a.entry.letter.diedAtMs || b.i - a.i)
    .slice(0, limit)
    .map(({ entry }) => entry)

function causeFor(causes: Map<string, Cause>, letter: DeadLetter): Cause {
  const { topic } = letter.source
  const group = groupOf(letter)
  const id = causes.has(group) || causes.size < CAUSES_MAX ? group : null
  const name = id ?? `${topic}\t${letter.reason}\tothers`
  let cause = causes.get(name)
  if (!cause) {
    const never = { letters: 0, replayed: 0, firstMs: Number.POSITIVE_INFINITY, lastMs: Number.NEGATIVE_INFINITY }
    const message = id === null ? 'others' : letter.message
    cause = { id, topic, reason: letter.reason, message, ...never, example: letter.id }
    causes.set(name, cause)
  } else if (cause.message !== letter.message && id !== null) cause.message = generalForm(letter.message)
  return cause
}
