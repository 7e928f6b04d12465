/**
 * Cuts a stream of JSON text into its values without parsing them: the elements of one array (or values one after the other), or one per line.
 * A value larger than allowed is given up with a problem and skipped, so a broken file can't fill the memory.
 */

export interface JsonPiece {
  /** Where the value begins, from 1. */
  line: number
  text: string
  problem?: string
}

export interface JsonSplitter {
  push(chunk: string): JsonPiece[]
  end(chunk?: string): JsonPiece[]
}

export function splitJson(form: 'array' | 'lines', charsMax: number): JsonSplitter {
  return form === 'lines' ? splitLines(charsMax) : splitArray(charsMax)
}

function splitLines(charsMax: number): JsonSplitter {
  let rest = ''
  let line = 0
  let skipping = false
  const cut = (chunk: string, last: boolean): JsonPiece[] => {
    const pieces: JsonPiece[] = []
    const text = rest + chunk
    let start = 0
    for (;;) {
      let end = text.indexOf('\n', start)
      if (end < 0) {
        if (!last) break
        end = text.length
      }
      line++
      const content = text
        .slice(start, end)
        .trim()
        .replace(/^\uFEFF/, '')
      if (skipping) skipping = false
      else if (content.length > charsMax) pieces.push({ line, text: content, problem: tooLarge(charsMax) })
      else if (content !== '') pieces.push({ line, text: content })
      start = end + 1
      if (last && start > text.length) return pieces
    }
    rest = text.slice(start)
    if (rest.length > charsMax) {
      if (!skipping) pieces.push({ line: line + 1, text: rest, problem: tooLarge(charsMax) })
      skipping = true
      rest = ''
    }
    return pieces
  }
  return { push: (chunk) => cut(chunk, false), end: (chunk = '') => cut(chunk, true) }
}

const QUOTE = 34
const COMMA = 44
const OPENING_BRACKET = 91
const BACKSLASH = 92
const CLOSING_BRACKET = 93
const OPENING_BRACE = 123
const CLOSING_BRACE = 125
const NEWLINE = 10

function splitArray(charsMax: number): JsonSplitter {
  /** Parts of the value being read, from earlier chunks. */
  let held: string[] = []
  let heldChars = 0
  let line = 1
  let startLine = 1
  let depth = 0
  let elementDepth: 0 | 1 | undefined
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
      const text = (held.join('') + chunk.slice(start, end)).trim()
      held = []
      heldChars = 0
      if (dropped) dropped = false
      else if (text.length > charsMax) pieces.push({ line: startLine, text, problem: tooLarge(charsMax) })
      else if (text !== '') pieces.push({ line: startLine, text })
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
      // White space and a byte order mark.
      if (c <= 32 || c === 0xfeff) continue
      if (elementDepth === undefined) {
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
      heldChars += part.length
      if (heldChars > charsMax) {
        if (!dropped) pieces.push({ line: startLine, text: held.join('').slice(0, 1000), problem: tooLarge(charsMax) })
        dropped = true
        held = []
      } else held.push(part)
    }
    return pieces
  }
  return { push: (chunk) => cut(chunk, false), end: (chunk = '') => cut(chunk, true) }
}

const tooLarge = (charsMax: number) => `larger than ${charsMax} characters`
