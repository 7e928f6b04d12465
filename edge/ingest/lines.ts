/**
 * NDJSON as it arrives: lines out of chunks of bytes, taken in pieces, each of which is in the log before the next is read. So a body may be far larger than what is held of it.
 *
 * Invariants: a line is judged by itself, and one that can't be read costs its neighbours nothing; what is held is one chunk and the beginning of a line, within bounds;
 * where it stops before the end, the answer says at which line, and every line before has had its verdict.
 */
import { Problem } from '../problem.ts'
import type { IngestResult } from './accept.ts'
import { joined } from './body.ts'
import { UnreadableLine } from './entries.ts'
import type { Ticket } from './pressure.ts'

export interface LineLimits {
  lineBytesMax: number
  linesMax: number
  /** Of the whole body, decompressed. */
  streamBytesMax: number
  /** Refused lines beyond so many end it: whoever sends them should look at the first ones. */
  rejectedMax: number
  /** It ends in time for its answer to get through before the server cuts off the request. */
  streamMsMax: number
  /** Lines that are taken at once. */
  eventsMax: number
}

export const STOPPED_CODES = [
  'too_many_events',
  'body_too_large',
  'too_many_rejected',
  'out_of_time',
  'quota_exceeded',
  'log_unavailable',
  'overloaded',
  'malformed_body',
  'body_too_slow',
] as const

/** Why what comes from `index` on was not taken. */
export interface Stopped {
  index: number
  code: (typeof STOPPED_CODES)[number]
  message: string
}

export interface LinesResult extends IngestResult {
  stopped?: Stopped
}

export interface LinesDeps {
  /** The body, until the signal says that there is no time left. */
  chunks: (signal: AbortSignal) => AsyncIterable<Uint8Array>
  accept: (values: readonly unknown[]) => Promise<IngestResult>
  /** Whether the key may send more. */
  hasLeft: () => boolean
  ticket: Pick<Ticket, 'hold' | 'release'>
  limits: LineLimits
}

const NEWLINE = 0x0a

/** @throws Problem where nothing of the body was taken */
export async function takeLines({ chunks, accept, hasLeft, ticket, limits }: LinesDeps): Promise<LinesResult> {
  const total: LinesResult = { accepted: 0, duplicates: 0, rejected: [] }
  const lines = createSplitter(limits.lineBytesMax)
  /** Entries that were taken. */
  let taken = 0
  let bytes = 0
  const isOver = AbortSignal.timeout(limits.streamMsMax)

  /** @returns why it ends here; null: it goes on */
  async function take(values: readonly unknown[]): Promise<Omit<Stopped, 'index'> | null> {
    for (let at = 0; at < values.length; at += limits.eventsMax) {
      if (taken >= limits.linesMax)
        return stop('too_many_events', `more than ${limits.linesMax} lines in one request: send the rest in another`)
      if (taken > 0 && !hasLeft())
        return stop('quota_exceeded', 'the quota of the write key is used up: send the rest a minute later')
      const piece = values.slice(at, Math.min(at + limits.eventsMax, at + limits.linesMax - taken))
      const result = await accept(piece)
      total.accepted += result.accepted
      total.duplicates += result.duplicates
      if (result.without_consent) total.without_consent = (total.without_consent ?? 0) + result.without_consent
      for (const verdict of result.rejected) total.rejected.push({ ...verdict, index: verdict.index + taken })
      taken += piece.length
      if (piece.length < Math.min(limits.eventsMax, values.length - at))
        return stop('too_many_events', `more than ${limits.linesMax} lines in one request: send the rest in another`)
      if (total.rejected.length >= limits.rejectedMax)
        return stop('too_many_rejected', 'too many lines were refused: look at the first ones before you send the rest')
    }
    return null
  }

  async function run(): Promise<Omit<Stopped, 'index'> | null> {
    let held = 0
    for await (const chunk of chunks(isOver)) {
      bytes += chunk.length
      if (bytes > limits.streamBytesMax)
        return stop(
          'body_too_large',
          `more than ${limits.streamBytesMax} bytes in one request: send the rest in another`,
        )
      ticket.hold(chunk.length)
      held += chunk.length
      const stopped = await take(lines.add(chunk))
      if (stopped) return stopped
      ticket.release(held - lines.held)
      held = lines.held
    }
    // What the deadline cut off is no line.
    return isOver.aborted ? null : take(lines.end())
  }

  let stopped: Omit<Stopped, 'index'> | null
  try {
    stopped = await run()
  } catch (error) {
    if (!(error instanceof Problem) || !isStop(error.code) || taken === 0) throw error
    stopped = stop(error.code, error.message)
  }
  // Whatever came of it, it was the deadline that ended it.
  if (isOver.aborted && stopped?.code !== 'log_unavailable') {
    stopped = stop('out_of_time', `a request may last ${limits.streamMsMax / 1000} s: send the rest in another`)
  }
  if (taken === 0) throw nothingTaken(stopped)
  if (stopped) total.stopped = { index: taken, ...stopped }
  return total
}

function nothingTaken(stopped: Omit<Stopped, 'index'> | null): Problem {
  if (!stopped) return new Problem('malformed_body', 'The body has no lines. Send one JSON object per line.')
  const code = stopped.code === 'body_too_large' ? 'body_too_large' : 'body_too_slow'
  return new Problem(code, `Of the body nothing was taken: ${stopped.message}.`)
}

const stop = (code: Stopped['code'], message: string) => ({ code, message })
const isStop = (code: string): code is Stopped['code'] => (STOPPED_CODES as readonly string[]).includes(code)

interface Splitter {
  /** The lines that end in the chunk, parsed; blank ones are left out. */
  add(chunk: Uint8Array): unknown[]
  /** The last line, where no newline ended it. */
  end(): unknown[]
  /** Bytes of the line that has begun. */
  readonly held: number
}

function createSplitter(lineBytesMax: number): Splitter {
  const utf8 = new TextDecoder('utf-8', { fatal: true })
  let begun: Uint8Array[] = []
  let held = 0
  let isTooLong = false
  let number = 1

  function keep(part: Uint8Array): void {
    if (isTooLong || held + part.length > lineBytesMax) {
      isTooLong = true
      begun = []
      held = 0
    } else if (part.length > 0) {
      begun.push(part)
      held += part.length
    }
  }

  /** Puts the line that is complete among the values. */
  function finish(values: unknown[]): void {
    const line = number++
    const [bytes, wasTooLong] = [joined(begun, held), isTooLong]
    begun = []
    held = 0
    isTooLong = false
    if (wasTooLong) {
      values.push(new UnreadableLine(line, `is longer than ${lineBytesMax} bytes`))
      return
    }
    try {
      const text = utf8.decode(bytes)
      if (text.trim() !== '') values.push(JSON.parse(text))
    } catch {
      values.push(new UnreadableLine(line))
    }
  }

  return {
    get held() {
      return held
    },
    add(chunk) {
      const values: unknown[] = []
      let start = 0
      for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, start)) {
        keep(chunk.subarray(start, end))
        finish(values)
        start = end + 1
      }
      // A copy: the chunk's memory is not kept for the beginning of a line.
      keep(chunk.slice(start))
      return values
    },
    end() {
      const values: unknown[] = []
      if (held > 0 || isTooLong) finish(values)
      return values
    },
  }
}
