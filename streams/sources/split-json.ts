/**
 * Cuts a stream of JSON text into its values without parsing them: the elements of one array (or values one after the other), or one per line.
 * A value larger than allowed is given up with a problem and skipped, so a broken file can't fill the memory.
 *
 * What is pushed are bytes, as a string of one character per byte (`latin1`): places are then places in the file, whatever its text. Values come out as text, from UTF-8.
 */

/** A place in a file from which reading can go on. */
export interface Place {
  byte: number
  /** That the byte lies on, from 1. */
  line: number
}

export const FILE_START: Readonly<Place> = { byte: 0, line: 1 }

export interface JsonPiece {
  /** Where the value begins, from 1. */
  line: number
  text: string
  problem?: string
  /** Behind the value; absent where it was given up before its end. */
  end?: Place
}

export interface JsonSplitter {
  push(bytes: string): JsonPiece[]
  end(): JsonPiece[]
}

/** `array` finds out by the first byte; `elements` is one that was entered before the place to go on from, `values` has none around them. */
export type JsonForm = 'array' | 'elements' | 'values' | 'lines'

/** @param from where the first byte that is pushed lies */
export function splitJson(form: JsonForm, bytesMax: number, from: Place = FILE_START): JsonSplitter {
  return form === 'lines' ? splitLines(bytesMax, from) : splitArray(bytesMax, from, form)
}

const NON_ASCII = /[\x80-\xff]/
/** Trimming text, not bytes: a byte of a letter may look like white space. It takes a byte order mark along. */
const textOf = (bytes: string): string =>
  (NON_ASCII.test(bytes) ? Buffer.from(bytes, 'latin1').toString('utf8') : bytes).trim()

function splitLines(bytesMax: number, from: Place): JsonSplitter {
  let rest = ''
  /** Of the first byte of `rest`. */
  let { byte, line } = from
  let skipping = false
  const cut = (chunk: string, last: boolean): JsonPiece[] => {
    const pieces: JsonPiece[] = []
    const bytes = rest + chunk
    let start = 0
    for (;;) {
      let end = bytes.indexOf('\n', start)
      if (end < 0) {
        if (!last || start >= bytes.length) break
        end = bytes.length
      }
      const text = textOf(bytes.slice(start, end))
      const place = { byte: byte + Math.min(end + 1, bytes.length), line: line + 1 }
      if (skipping) skipping = false
      else if (end - start > bytesMax) pieces.push({ line, text, problem: tooLarge(bytesMax), end: place })
      else if (text !== '') pieces.push({ line, text, end: place })
      line++
      start = end + 1
    }
    byte += Math.min(start, bytes.length)
    rest = bytes.slice(start)
    if (rest.length > bytesMax) {
      if (!skipping) pieces.push({ line, text: textOf(rest), problem: tooLarge(bytesMax) })
      skipping = true
      byte += rest.length
      rest = ''
    }
    return pieces
  }
  return { push: (chunk) => cut(chunk, false), end: () => cut('', true) }
}

const QUOTE = 34
const COMMA = 44
const OPENING_BRACKET = 91
const BACKSLASH = 92
const CLOSING_BRACKET = 93
const OPENING_BRACE = 123
const CLOSING_BRACE = 125
const NEWLINE = 10

function splitArray(bytesMax: number, from: Place, form: Exclude<JsonForm, 'lines'>): JsonSplitter {
  /** Parts of the value being read, from earlier chunks. */
  let held: string[] = []
  let heldBytes = 0
  /** Of the first byte of the chunk. */
  let { byte, line } = from
  let startLine = line
  let elementDepth: 0 | 1 | undefined = form === 'array' ? undefined : form === 'elements' ? 1 : 0
  let depth: number = elementDepth ?? 0
  let inString = false
  let escaped = false
  let inValue = false
  let dropped = false

  function cut(chunk: string, last: boolean): JsonPiece[] {
    const pieces: JsonPiece[] = []
    let start = 0
    const finish = (end: number) => {
      if (!inValue) return
      inValue = false
      const bytes = held.join('') + chunk.slice(start, end)
      held = []
      heldBytes = 0
      const text = textOf(bytes)
      // Whoever goes on at a place is between two elements.
      const place = depth === elementDepth ? { end: { byte: byte + end, line } } : {}
      if (dropped) dropped = false
      else if (bytes.length > bytesMax) pieces.push({ line: startLine, text, problem: tooLarge(bytesMax), ...place })
      else if (text !== '') pieces.push({ line: startLine, text, ...place })
    }
    const begin = (at: number) => {
      if (inValue) return
      inValue = true
      start = at
      startLine = line
    }
    for (let i = 0; i < chunk.length; i++) {
      const c = chunk.charCodeAt(i)
      if (c === NEWLINE) line++
      if (inString) {
        if (escaped) escaped = false
        else if (c === BACKSLASH) escaped = true
        else if (c === QUOTE) inString = false
        continue
      }
      if (c <= 32) continue
      if (elementDepth === undefined) {
        // A byte order mark.
        if (c >= 128) continue
        elementDepth = c === OPENING_BRACKET ? 1 : 0
        if (elementDepth === 1) {
          depth = 1
          continue
        }
      }
      if (c === COMMA && depth === elementDepth) {
        finish(i)
        continue
      }
      if (c === CLOSING_BRACKET && depth === 1 && elementDepth === 1) {
        finish(i)
        depth = 0
        continue
      }
      begin(i)
      if (c === QUOTE) inString = true
      else if (c === OPENING_BRACE || c === OPENING_BRACKET) depth++
      else if (c === CLOSING_BRACE || c === CLOSING_BRACKET) {
        depth--
        if (depth <= elementDepth) {
          depth = elementDepth
          finish(i + 1)
        }
      }
    }
    if (last) {
      finish(chunk.length)
    } else if (inValue) {
      const part = chunk.slice(start)
      heldBytes += part.length
      if (heldBytes > bytesMax) {
        if (!dropped)
          pieces.push({ line: startLine, text: textOf(held.join('').slice(0, 1000)), problem: tooLarge(bytesMax) })
        dropped = true
        held = []
      } else held.push(part)
    }
    byte += chunk.length
    return pieces
  }
  return { push: (chunk) => cut(chunk, false), end: () => cut('', true) }
}

const tooLarge = (bytesMax: number) => `larger than ${bytesMax} bytes`
