/** Tables for a terminal: aligned by the width that text has there, and safe, since what came from outside must not move the cursor. */

/** Characters that take two columns: East Asian wide ones, and emoji. Ranges of Unicode's East_Asian_Width W and F, as far as they are in use. */
const WIDE =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\u33ff\u3400-\u4dbf\u4e00-\u9fff\ua000-\ua4cf\ua960-\ua97c\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1f64f}\u{1f680}-\u{1f6ff}\u{1f900}-\u{1faff}\u{20000}-\u{3fffd}]/u
/** Characters that take none: they change the one before. */
const ZERO = /[\p{Mn}\p{Me}\p{Cf}]/u

/** Columns that the text takes. */
export function textWidth(text: string): number {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: plain ASCII is what most text is
  if (/^[\x00-\x7f]*$/.test(text)) return text.length
  let width = 0
  for (const character of text) width += ZERO.test(character) ? 0 : WIDE.test(character) ? 2 : 1
  return width
}

/** Control characters become visible: `\n`, `\t`, `\x1b`. */
export const printable = (text: string): string =>
  text.replace(
    /[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu,
    (c) => ESCAPES[c] ?? (c < '\u0100' ? `\\x${hex(c, 2)}` : `\\u${hex(c, 4)}`),
  )
const ESCAPES: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' }
const hex = (c: string, digits: number): string => c.charCodeAt(0).toString(16).padStart(digits, '0')

/** The beginning of a text that is too wide, with `…` at its end. */
export function cut(text: string, width: number): string {
  if (textWidth(text) <= width) return text
  let taken = ''
  let used = 0
  for (const character of text) {
    used += textWidth(character)
    if (used > width - 1) break
    taken += character
  }
  return `${taken}…`
}

export function pad(text: string, width: number, right = false): string {
  const space = ' '.repeat(Math.max(0, width - textWidth(text)))
  return right ? space + text : text + space
}

/** Rows under a line of names, two spaces between. @param right columns of numbers, by their index */
export function textTable(
  header: readonly string[],
  rows: readonly (readonly string[])[],
  right: readonly number[] = [],
): string {
  const lines = [header, ...rows.map((row) => row.map(printable))]
  const widths = header.map((_, i) => lines.reduce((most, line) => Math.max(most, textWidth(line[i] ?? '')), 0))
  const isRight = new Set(right)
  return lines
    .map(
      (line) =>
        `${line
          .map((cell, i) => pad(cell, widths[i]!, isRight.has(i)))
          .join('  ')
          .trimEnd()}\n`,
    )
    .join('')
}
