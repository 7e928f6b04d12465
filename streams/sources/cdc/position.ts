/**
 * Where in the source a record of a `cdc.` topic stands: transactions in the order of their commits, and the records of each counted. It goes with the record as a
 * header, and is how the source knows after a crash what the log has already.
 *
 * Invariant: the same change has the same position whenever it is read, and positions rise within a partition until a snapshot begins anew.
 */
import { formatLsn, parseLsn } from './lsn.ts'

export interface Position {
  /** Of the commit; of a snapshot, where the stream goes on behind it. */
  readonly lsn: number
  /** Counts the records of the transaction, or of the snapshot. */
  readonly n: number
  readonly isSnapshot: boolean
}

export const formatPosition = ({ lsn, n, isSnapshot }: Position): string =>
  `${isSnapshot ? 'snapshot/' : ''}${formatLsn(lsn)}/${n}`

/** @returns null where it is none of ours */
export function parsePosition(text: string | undefined): Position | null {
  const [, snapshot, lsn, n] = /^(snapshot\/)?([0-9A-F]{1,8}\/[0-9A-F]{1,8})\/(\d{1,15})$/.exec(text ?? '') ?? []
  if (lsn === undefined) return null
  return { lsn: parseLsn(lsn), n: Number(n), isSnapshot: snapshot !== undefined }
}

/** Whether a record of the stream, which a partition's last one has `last`, is in it already. A commit at a snapshot's LSN or behind it is not in the snapshot. */
export const isBehind = (last: Position | null, lsn: number, n: number): boolean =>
  last !== null && (last.isSnapshot ? lsn < last.lsn : lsn < last.lsn || (lsn === last.lsn && n <= last.n))
