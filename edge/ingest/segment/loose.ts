/** Reading Segment's messages, whose fields may be anything: what is not of use is undefined, never an error. Ids and amounts come as text or as numbers. */

export type Fields = Record<string, unknown>

const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** The value itself where it is an object, else null. */
export const fieldsOf = (value: unknown): Fields | null => (isFields(value) ? value : null)

/** An own member of an object. What an object inherits is no field of a message. */
export const field = (of: Fields | null, name: string): unknown =>
  of !== null && Object.hasOwn(of, name) ? of[name] : undefined

/** Text that says something; numbers count as the text they are written as. */
export function textOf(value: unknown): string | undefined {
  if (typeof value === 'number' && Number.isFinite(value)) return String(value)
  return typeof value === 'string' && value !== '' ? value : undefined
}

/** A number, also one that came as text, as shops like to send prices. */
export function numberOf(value: unknown): number | undefined {
  if (typeof value === 'number') return value
  return typeof value === 'string' && /^-?\d+(\.\d+)?$/.test(value.trim()) ? Number(value) : undefined
}
