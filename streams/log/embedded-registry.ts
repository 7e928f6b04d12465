/**
 * The schema registry of the embedded form: ids, subjects and versions in a small LMDB environment of its own.
 *
 * Sits behind the codecs and, later, behind the Confluent-compatible REST API. Invariants: an id, once given, means the same schema forever
 * (it is on disk before anyone gets it); ids and versions count 1, 2, … without gaps; the same schema has one id, under whichever subject,
 * as Confluent's registry does it. Any number of threads and processes may have the same folder open.
 */
import { createHash } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import type { Schema } from 'avsc'
import { type Key, open, type RootDatabase } from 'lmdb'
import { type SchemaRegistry, UnknownSchema } from '../contract/codec.ts'

/** One version of a subject. `schema` is the JSON text as it was first registered. */
export interface SubjectVersion {
  subject: string
  version: number
  id: number
  schema: string
}

export interface EmbeddedRegistry extends SchemaRegistry {
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
  close(): Promise<void>
}

/** LMDB keys are limited to 1,978 bytes. */
const SUBJECT_MAX_BYTES = 1000
const SUBJECT = 'subject'
const SCHEMA = 'schema'
const ID_BY_HASH = 'id'
const NEXT_ID = 'next_id'

/** @param folder made when it doesn't exist */
export function openEmbeddedRegistry(folder: string): EmbeddedRegistry {
  mkdirSync(folder, { recursive: true })
  // Without overlapping sync a commit returns when it is on disk: an id must never be given again to another schema after a power cut.
  const db: RootDatabase<number | string, Key> = open({
    path: folder,
    overlappingSync: false,
    mapSize: 64 * 1024 * 1024,
  })
  const numberAt = (key: Key): number | undefined => db.get(key) as number | undefined
  const text = (id: number): string | null => (db.get([SCHEMA, id]) as string | undefined) ?? null

  /** Other processes write too: what a read doesn't find may have come since its snapshot. */
  function fresh<T>(read: () => T): T {
    db.resetReadTxn()
    return read()
  }

  function versionEntries(subject: string): { version: number; id: number }[] {
    return [...db.getRange({ start: [SUBJECT, subject, 0], end: [SUBJECT, subject, Number.MAX_SAFE_INTEGER] })].map(
      ({ key, value }) => ({ version: (key as [string, string, number])[2], id: value as number }),
    )
  }

  function found(subject: string, entry: { version: number; id: number } | undefined): SubjectVersion | null {
    return entry ? { subject, ...entry, schema: text(entry.id) ?? '' } : null
  }

  return {
    async register(subject, schema) {
      if (subject === '' || Buffer.byteLength(subject) > SUBJECT_MAX_BYTES || subject.includes('\0')) {
        throw new RangeError(`A subject is 1 to ${SUBJECT_MAX_BYTES} bytes of text without NUL`)
      }
      const hash = schemaHash(schema)
      return db.transactionSync(() => {
        let id = numberAt([ID_BY_HASH, hash])
        if (id === undefined) {
          id = numberAt(NEXT_ID) ?? 1
          void db.put(NEXT_ID, id + 1)
          void db.put([ID_BY_HASH, hash], id)
          void db.put([SCHEMA, id], JSON.stringify(schema))
        }
        const versions = versionEntries(subject)
        if (!versions.some((v) => v.id === id)) void db.put([SUBJECT, subject, (versions.at(-1)?.version ?? 0) + 1], id)
        return id
      })
    },
    async schema(id) {
      const json = text(id) ?? fresh(() => text(id))
      if (json === null) throw new UnknownSchema(`Schema ${id} is not in the registry`)
      return JSON.parse(json) as Schema
    },
    text: (id) => text(id) ?? fresh(() => text(id)),
    subjects: () =>
      fresh(() => {
        const names = new Set<string>()
        for (const key of db.getKeys({ start: [SUBJECT, ''], end: [`${SUBJECT}\u0001`] })) {
          names.add((key as [string, string, number])[1])
        }
        return [...names].sort()
      }),
    versions: (subject) => fresh(() => versionEntries(subject).map((v) => v.version)),
    version: (subject, version) =>
      fresh(() => {
        const versions = versionEntries(subject)
        return found(subject, version === 'latest' ? versions.at(-1) : versions.find((v) => v.version === version))
      }),
    lookup: (subject, schema) =>
      fresh(() => {
        const id = numberAt([ID_BY_HASH, schemaHash(schema)])
        return found(
          subject,
          versionEntries(subject).find((v) => v.id === id),
        )
      }),
    usages: (id) =>
      fresh(() =>
        [...db.getRange({ start: [SUBJECT, ''], end: [`${SUBJECT}\u0001`] })]
          .filter(({ value }) => value === id)
          .map(({ key }) => {
            const [, subject, version] = key as [string, string, number]
            return { subject, version }
          }),
      ),
    close: () => db.close(),
  }
}

/** Two schemas are the same when their JSON differs in nothing but the order of object members. */
export const schemaHash = (schema: Schema): string => createHash('sha256').update(canonical(schema)).digest('base64url')

function canonical(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) => {
    if (typeof part !== 'object' || part === null || Array.isArray(part)) return part
    return Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
  })
}
