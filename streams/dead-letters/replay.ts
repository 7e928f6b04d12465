/**
 * Replaying dead letters: those that can be read now go back to their topic, with a note, so that each goes back once.
 *
 * Invariant: the note is written when the record is durable. A crash between the two means that the next replay appends the same event again, under the same id: the
 * streams skip it as a duplicate within their horizon, and where that has passed it is late.
 */
import type { AnyEvent } from '../contract/events.ts'
import type { EventLog, RecordPosition } from '../log/event-log.ts'
import { type DeadLetter, newReplayNote } from './dead-letter.ts'
import type { Reviver } from './revive.ts'
import type { FoundLetter } from './scan.ts'

export type ReplayOutcome =
  /** Appended now; or, in a dry run, it would be. */
  | { letter: DeadLetter; outcome: 'replayed'; event: AnyEvent; to: RecordPosition | null }
  | { letter: DeadLetter; outcome: 'replayed_before' }
  | { letter: DeadLetter; outcome: 'refused'; reason: string; message: string }

const BATCH = 200
/** A batch ends with the letter that passes this. */
const BATCH_BYTES = 4 * 1024 * 1024

/** What becomes of each letter, in order. @throws LogUnavailable; and when the registry does not answer. The same call goes on from there. */
export async function* replayLetters(
  letters: AsyncIterable<FoundLetter>,
  { log, reviver, dryRun }: { log: Pick<EventLog, 'append'>; reviver: Reviver; dryRun: boolean },
): AsyncGenerator<ReplayOutcome, void, undefined> {
  let batch: DeadLetter[] = []
  let bytes = 0
  for await (const { letter, replayed } of letters) {
    if (replayed) {
      yield { letter, outcome: 'replayed_before' }
      continue
    }
    batch.push(letter)
    bytes += letter.value.length
    if (batch.length < BATCH && bytes < BATCH_BYTES) continue
    yield* await replayBatch(batch)
    batch = []
    bytes = 0
  }
  if (batch.length > 0) yield* await replayBatch(batch)

  async function replayBatch(dead: readonly DeadLetter[]): Promise<ReplayOutcome[]> {
    await reviver.prepare(dead)
    const revived = dead.map((letter) => ({ letter, revival: reviver.revive(letter) }))
    const good = revived.flatMap(({ letter, revival }) =>
      'record' in revival ? [{ letter, record: revival.record }] : [],
    )
    const positions = dryRun ? [] : await log.append(await Promise.all(good.map(({ record }) => record())))
    if (positions.length > 0) await log.append(good.map(({ letter }, i) => newReplayNote(letter, positions[i]!)))
    const places = new Map(good.map(({ letter }, i) => [letter, positions[i] ?? null]))
    return revived.map(({ letter, revival }) =>
      'record' in revival
        ? { letter, outcome: 'replayed', event: revival.event, to: places.get(letter) ?? null }
        : { letter, outcome: 'refused', reason: revival.reason, message: revival.message },
    )
  }
}
