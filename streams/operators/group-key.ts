/** Group keys of two parts, the first of which never holds the separator (a currency, a window name). */
const SEPARATOR = '|'

export const groupKey = (first: string, second: string): string => first + SEPARATOR + second

export function ungroup(group: string): [first: string, second: string] {
  const at = group.indexOf(SEPARATOR)
  return [group.slice(0, at), group.slice(at + 1)]
}
