/**
 * The schema registry as a product: what it holds, in Confluent's terms. `codec.ts` has the part that reading and writing values needs.
 *
 * The embedded registry implements it; the edge serves it as REST. Invariants: an id means the same schema for ever; a subject takes a new schema only if it is
 * compatible, by the subject's level, with what its readers and writers have.
 */
import type { Schema } from 'avsc'
import type { SchemaRegistry } from './codec.ts'

/**
 * What a new schema of a subject must be compatible with. BACKWARD: it reads what the newest version wrote; FORWARD: the newest version reads what it
 * writes; FULL: both. TRANSITIVE: not only with the newest version, but with all.
 */
export const COMPATIBILITY_LEVELS = [
  'NONE',
  'BACKWARD',
  'BACKWARD_TRANSITIVE',
  'FORWARD',
  'FORWARD_TRANSITIVE',
  'FULL',
  'FULL_TRANSITIVE',
] as const
export type CompatibilityLevel = (typeof COMPATIBILITY_LEVELS)[number]
export const DEFAULT_COMPATIBILITY: CompatibilityLevel = 'BACKWARD'

/** One version of a subject. `schema` is the JSON text as it was first registered. */
export interface SubjectVersion {
  subject: string
  version: number
  id: number
  schema: string
}

export interface SubjectRegistry extends SchemaRegistry {
  /** Names of all subjects, sorted. */
  subjects(): string[]
  /** Version numbers of the subject, ascending; empty when it is unknown. */
  versions(subject: string): number[]
  /** @returns null when the subject doesn't have that version. */
  version(subject: string, version: number | 'latest'): SubjectVersion | null
  /** The version under which the subject has this schema; null when it hasn't. */
  lookup(subject: string, schema: Schema): SubjectVersion | null
  /** JSON text of a schema; null when the id is unknown. */
  text(id: number): string | null
  /** Subject versions that use the id. */
  usages(id: number): { subject: string; version: number }[]
  /** The level of a subject, null where it has none of its own; of all others for the subject null. */
  level(subject: string): CompatibilityLevel | null
  level(subject: null): CompatibilityLevel
  setLevel(subject: string | null, level: CompatibilityLevel): Promise<void>
}

/** The subject's level forbids the schema. The message names the fields, and the versions they clash with. Trying again changes nothing. */
export class IncompatibleSchema extends Error {
  override readonly name = 'IncompatibleSchema'
}

/** The text is no Avro schema. */
export class InvalidSchema extends Error {
  override readonly name = 'InvalidSchema'
}

/** The subject or the schema is none that the registry could keep. */
export class InvalidSubject extends Error {
  override readonly name = 'InvalidSubject'
}
