/** Which failures of PostgreSQL pass by themselves: what the runtime tries again, and what it must not. */

/** Codes of postgres.js and of the operating system's sockets: the connection, not the statement, failed. */
const CONNECTION_CODES = new Set([
  'CONNECTION_CLOSED',
  'CONNECTION_DESTROYED',
  'CONNECT_TIMEOUT',
  'CONNECTION_ENDED',
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
])

/**
 * SQLSTATE classes and codes (PostgreSQL manual, appendix A): 08 connection, 53 resources (disk full, too many connections), 57P01–57P05
 * shutdown and crash, 40 rollback (serialization, deadlock), 55P03 lock not available, 57014 statement timeout, 25006 read-only after failover.
 */
const TRANSIENT_STATE = /^(08...|53...|57P0[1-5]|40...|55P03|57014|25006)$/

/** Whether the same call may succeed later. The transaction it belonged to was rolled back, or its outcome is unknown: applying it again is safe, as rows are versioned. */
export function isTransient(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  const code = (error as { code?: unknown }).code
  if (typeof code !== 'string') return isTransient(error.cause)
  return CONNECTION_CODES.has(code) || TRANSIENT_STATE.test(code)
}

/** Whether a text was refused because PostgreSQL has no such text: one with NUL in it (SQLSTATE 22021, 22P05 within JSON). */
export function isUnstorableText(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  const code = (error as { code?: unknown }).code
  return code === '22021' || code === '22P05' || isUnstorableText(error.cause)
}

/** Whether a statement was refused for what is in its values (SQLSTATE classes 22 and 54): other values may be stored, these never. */
export function isUnstorable(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  const code = (error as { code?: unknown }).code
  return typeof code === 'string' ? /^(22|54)...$/.test(code) : isUnstorable(error.cause)
}
