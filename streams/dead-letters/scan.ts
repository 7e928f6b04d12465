/**
 * Reading the dead letters: all of a topic in order, one by its id, and their summary. Reads the log only; what is appended meanwhile is not seen.
 *
 * Invariant: memory does not grow with the letters' bytes, only by a few bytes for each letter.
 */
import { RecentIds } from '../contract/recent-ids.ts'
import type { EventLog, TopicPartition } from '../log/event-log.ts'
import { type DeadLetter, isNote, positionOf, type ReplayNote, readDeadLetter } from './dead-letter.ts'

type ReadableLog = Pick<EventLog, 'bounds' | 'partitionCount' | 'read'>

const PAGE = 500

/** Letters and notes of a `dlq.` topic that it holds now, in order. */
async function* recordsOf(log: ReadableLog, topic: string): AsyncGenerator<DeadLetter | ReplayNote, void, undefined> {
  const count = await log.partitionCount(topic)
  for (let partition = 0; partition < count; partition++) {
    const at: TopicPartition = { topic, partition }
    const { earliest, next } = await log.bounds(at)
    for (let offset = earliest; offset < next; ) {
      const records = await log.read(at, offset, Math.min(PAGE, next - offset))
      const last = records[records.length - 1]
      if (!last) break
      for (const record of records) if (record.offset < next) yield readDeadLetter(at, record)
      offset = last.offset + 1
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
export async function* deadLetters(log: ReadableLog, topic: string): AsyncGenerator<FoundLetter, void, undefined> {
  const replayed = idSet()
  for await (const found of recordsOf(log, topic)) if (isNote(found)) replayed.add(found.replayOf)
  const seen = idSet()
  for await (const found of recordsOf(log, topic)) {
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
  { sinceMs, limit }: { sinceMs: number; limit: number },
): Promise<Summary> {
  const causes = new Map<string, Cause>()
  let newest: FoundLetter[] = []
  let letters = 0
  for (const topic of topics) {
    for await (const found of deadLetters(log, topic)) {
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
  const general = generalForm(letter.message)
  const full = `${topic}\t${letter.reason}\t${general}`
  const name = causes.has(full) || causes.size < CAUSES_MAX ? full : `${topic}\t${letter.reason}\tothers`
  let cause = causes.get(name)
  if (!cause) {
    const never = { letters: 0, replayed: 0, firstMs: Number.POSITIVE_INFINITY, lastMs: Number.NEGATIVE_INFINITY }
    const message = name === full ? letter.message : 'others'
    cause = { topic, reason: letter.reason, message, ...never, example: letter.id }
    causes.set(name, cause)
  } else if (cause.message !== letter.message && name === full) cause.message = general
  return cause
}

/** Without what differs from record to record: numbers, and what is quoted from the value. */
const generalForm = (message: string): string => message.replace(/"[^"]*"|'[^']*'/g, '"…"').replace(/\d+/g, 'N')
