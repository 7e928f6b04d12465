/**
 * The schema registry of the embedded form: ids, subjects and versions in a small LMDB environment of its own.
 *
 * Sits behind the codecs and behind the Confluent-compatible REST API. Invariants: an id, once given, means the same schema forever
 * (it is on disk before anyone gets it); ids and versions count 1, 2, … without gaps; the same schema has one id, under whichever subject,
 * as Confluent's registry does it; a subject takes no schema that its level forbids, whoever registers. Any number of threads and processes may
 * have the same folder open.
 */
import { createHash } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import type { Schema } from 'avsc'
import { type Key, open, type RootDatabase } from 'lmdb'
import { UnknownSchema } from '../contract/codec.ts'
import { compatibilityProblems } from '../contract/compatibility.ts'
import {
  type CompatibilityLevel,
  DEFAULT_COMPATIBILITY,
  IncompatibleSchema,
  InvalidSubject,
  type SubjectRegistry,
  type SubjectVersion,
} from '../contract/schema-registry.ts'

export interface EmbeddedRegistry extends SubjectRegistry {
  close(): Promise<void>
}

/** LMDB keys are limited to 1,978 bytes. */
const SUBJECT_MAX_BYTES = 1000
const SUBJECT = 'subject'
const SCHEMA = 'schema'
const ID_BY_HASH = 'id'
const NEXT_ID = 'next_id'
const LEVEL = 'level'

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

  // The global level has a key of its own, since no subject is named like it.
  const ownLevel = (subject: string | null) =>
    (db.get(subject === null ? LEVEL : [LEVEL, subject]) as CompatibilityLevel | undefined) ?? null
  const globalLevel = () => ownLevel(null) ?? DEFAULT_COMPATIBILITY

  /** @throws IncompatibleSchema, InvalidSchema */
  function mustBeCompatible(subject: string, schema: Schema, before: readonly { version: number; id: number }[]): void {
    const level = ownLevel(subject) ?? globalLevel()
    const versions = before.map(({ version, id }) => ({ version, schema: JSON.parse(text(id) ?? '') as Schema }))
    const problems = compatibilityProblems(level, schema, versions)
    if (problems.length === 0) return
    throw new IncompatibleSchema(
      `The schema can't be registered under "${subject}", which is to stay ${level} compatible: ${problems.join('; ')}.`,
    )
  }

  return {
    async register(subject, schema) {
      checkSubject(subject)
      const hash = schemaHash(schema)
      return db.transactionSync(() => {
        let id = numberAt([ID_BY_HASH, hash])
        const versions = versionEntries(subject)
        // What a subject has already, it keeps: older code that is started again must not be refused.
        if (id !== undefined && versions.some((v) => v.id === id)) return id
        mustBeCompatible(subject, schema, versions)
        if (id === undefined) {
          id = numberAt(NEXT_ID) ?? 1
          void db.put(NEXT_ID, id + 1)
          void db.put([ID_BY_HASH, hash], id)
          void db.put([SCHEMA, id], JSON.stringify(schema))
        }
        void db.put([SUBJECT, subject, (versions.at(-1)?.version ?? 0) + 1], id)
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
    level: ((subject: string | null) =>
      fresh(() => (subject === null ? globalLevel() : ownLevel(subject)))) as EmbeddedRegistry['level'],
    async setLevel(subject, level) {
      if (subject !== null) checkSubject(subject)
      db.transactionSync(() => void db.put(subject === null ? LEVEL : [LEVEL, subject], level))
    },
    close: () => db.close(),
  }
}

function checkSubject(subject: string): void {
  if (subject === '' || Buffer.byteLength(subject) > SUBJECT_MAX_BYTES || subject.includes('\0')) {
    throw new InvalidSubject(`A subject is 1 to ${SUBJECT_MAX_BYTES} bytes of text without NUL`)
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
