/** Places in PostgreSQL's write-ahead log: `16/B374D848` as people and SQL write them, a number here. */

/** @throws Error when the text is no LSN */
export function parseLsn(text: string): number {
  const [, high, low] = /^([0-9A-F]{1,8})\/([0-9A-F]{1,8})$/i.exec(text) ?? []
  if (high === undefined || low === undefined) throw new Error(`"${text}" is no LSN.`)
  return Number.parseInt(high, 16) * 2 ** 32 + Number.parseInt(low, 16)
}

export const formatLsn = (lsn: number): string =>
  `${Math.floor(lsn / 2 ** 32).toString(16)}/${(lsn % 2 ** 32).toString(16)}`.toUpperCase()
