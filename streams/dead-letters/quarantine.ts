/**
 * The quarantine: dead letters by cause, one in full, and the way back, with a fix where one is needed. What the edge and the CLI ask of the dead letters.
 *
 * Invariant: a dry run appends nothing and registers nothing; what it says would go back, goes back, once.
 */
import type { SchemaRegistry } from '../contract/codec.ts'
import { type EventLog, LogUnavailable } from '../log/event-log.ts'
import type { Clock } from '../time/clock.ts'
import { groupOf } from './cause.ts'
import { type LetterPlace, placeOf, positionOf } from './dead-letter.ts'
import { type DescribedValue, describeValue } from './describe-value.ts'
import { createFixer, type FixSpec, parseFix } from './fix.ts'
import { type ReplayOutcome, replayLetters } from './replay.ts'
import { createReviver, type ReviverDeps } from './revive.ts'
import { type Cause, deadLetter, deadLetters, type FoundLetter, summarize } from './scan.ts'

export interface LetterFilter {
  /** Letters of these `dlq.` topics. */
  topics: readonly string[]
  /** Of this group only. */
  group?: string | undefined
}

export interface ReplayAsked {
  /** These letters; or all of a group, oldest first. */
  which: { ids: readonly string[] } | (LetterFilter & { group: string })
  /** null: the present decoder. */
  fix: FixSpec | null
  dryRun: boolean
  /** Ends after so many that were not replayed before. */
  limit: number
}

export interface ReplayReport {
  replayed: number
  replayedBefore: number
  refused: number
  /** Whether the limit ended it: asking again goes on from there. */
  more: boolean
  /** The first few of each outcome. */
  examples: ReplayOutcome[]
  /** Ids asked for that are none, or no more. */
  missing: string[]
}

export interface Quarantine {
  /** Most letters first. Only so many of the newest are looked at, see {@link NEWEST}. */
  causes(topics: readonly string[]): Promise<{ causes: Cause[]; letters: number }>
  /** The newest first, at most `limit` of those before `before`. */
  letters(filter: LetterFilter, page: { limit: number; before: LetterPlace | null }): Promise<FoundLetter[]>
  /** @returns null where there is none (any more) */
  letter(id: string): Promise<(FoundLetter & { group: string; value: DescribedValue }) | null>
  /** @throws BadFix; LogUnavailable; and where the registry does not answer: the same call goes on from there */
  replay(asked: ReplayAsked): Promise<ReplayReport>
}

export interface QuarantineDeps extends Pick<ReviverDeps, 'currency' | 'foreign'> {
  log: Pick<EventLog, 'append' | 'bounds' | 'partitionCount' | 'read'>
  registry: SchemaRegistry
  clock: Clock
}

/** Of each partition so many records are looked at for lists: more would take an edge longer than anybody waits. `streamforge dlq` looks at all. */
export const NEWEST = 50_000
const EXAMPLES = 5

export function createQuarantine(deps: QuarantineDeps): Quarantine {
  const { log, registry } = deps
  /** A topic of dead letters that nobody has made yet has none. */
  const held = async (topics: readonly string[]): Promise<string[]> => {
    const there: string[] = []
    for (const topic of topics) if (await exists(log, topic)) there.push(topic)
    return there
  }
  return {
    causes: async (topics) =>
      summarize(log, await held(topics), { sinceMs: Number.NEGATIVE_INFINITY, limit: 0, newest: NEWEST }),

    async letters({ topics, group }, { limit, before }) {
      let youngest: FoundLetter[] = []
      for (const topic of await held(topics)) {
        for await (const found of deadLetters(log, topic, { newest: NEWEST })) {
          if (group !== undefined && groupOf(found.letter) !== group) continue
          if (before !== null && compare(placeOf(found.letter), before) >= 0) continue
          youngest.push(withoutBytes(found))
          if (youngest.length > limit * 2 + 100) youngest = sorted(youngest).slice(0, limit)
        }
      }
      return sorted(youngest).slice(0, limit)
    },

    async letter(id) {
      const found = await letterAt(log, id)
      if (!found) return null
      return { ...found, group: groupOf(found.letter), value: await describeValue(found.letter.value, registry) }
    },

    async replay({ which, fix, dryRun, limit }) {
      const reviver = fix ? createFixer(parseFix(fix), deps) : createReviver(deps)
      const missing: string[] = []
      let more = false
      async function* chosen(): AsyncGenerator<FoundLetter, void, undefined> {
        let left = limit
        for await (const found of 'ids' in which
          ? lettersAt(log, which.ids, missing)
          : lettersOf(log, { ...which, topics: await held(which.topics) })) {
          if (!found.replayed && left-- <= 0) {
            more = true
            return
          }
          yield found
        }
      }
      const counts = { replayed: 0, replayed_before: 0, refused: 0 }
      const examples: ReplayOutcome[] = []
      for await (const result of replayLetters(chosen(), { log, reviver, dryRun }))
        if (++counts[result.outcome] <= EXAMPLES) examples.push(result)
      const { replayed, replayed_before: replayedBefore, refused } = counts
      return { replayed, replayedBefore, refused, more, examples, missing }
    },
  }
}

type ReadableLog = QuarantineDeps['log']

async function exists(log: ReadableLog, topic: string): Promise<boolean> {
  try {
    return (await log.partitionCount(topic)) > 0
  } catch (error) {
    if (error instanceof LogUnavailable) throw error
    return false
  }
}

const letterAt = async (log: ReadableLog, id: string): Promise<FoundLetter | null> =>
  (await exists(log, positionOf(id)?.topic ?? '')) ? deadLetter(log, id) : null

async function* lettersOf(log: ReadableLog, { topics, group }: LetterFilter): AsyncGenerator<FoundLetter> {
  for (const topic of topics)
    for await (const found of deadLetters(log, topic)) if (groupOf(found.letter) === group) yield found
}

async function* lettersAt(log: ReadableLog, ids: readonly string[], missing: string[]): AsyncGenerator<FoundLetter> {
  for (const id of new Set(ids)) {
    const found = await letterAt(log, id)
    if (found) yield found
    else missing.push(id)
  }
}

const withoutBytes = ({ letter, replayed }: FoundLetter): FoundLetter => ({
  // A slice of nothing would hold on to the bytes.
  letter: { ...letter, value: Buffer.alloc(0) },
  replayed,
})

/** Ids of one topic and partition differ in their offsets: by length first, then by their digits. */
const compare = (a: LetterPlace, b: LetterPlace): number =>
  a.at - b.at || a.id.length - b.id.length || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0)
const sorted = (found: readonly FoundLetter[]): FoundLetter[] =>
  [...found].sort((a, b) => compare(placeOf(b.letter), placeOf(a.letter)))
