/** A person is erased from all tables of the lake that tell of persons, one after the other. To be called again after any failure: what is done stays done, and is not done twice. */
import { erasePerson, type Lake, NoSuchTable, type PersonErased, type Pseudonyms, tableText } from '../lake/index.ts'
import { personsIn } from './lake-tables.ts'
import { laterIn, type Told } from './later.ts'

export interface ErasedSubject {
  /** What stands in the place of each of the person's ids from now on, one for each, so that distinct users stay as many as they were. The same in every call of one erasure. */
  readonly pseudonyms: Pseudonyms
  /** What came behind it is left alone; null: all there is of the person is meant. */
  readonly told: Told | null
}

export interface EraseFromLakeOptions {
  /** Stops between two steps; what is committed stays, and the next call goes on from there. */
  signal?: AbortSignal | undefined
  /** Told after every step, in words that say nothing of the person. */
  onProgress?: ((what: string) => void) | undefined
  /** Of DuckDB, which holds what is rewritten; default: 512. */
  memoryMb?: number
}

/** Plain data that says nothing of the person, to be kept and shown. */
export interface LakeErasure {
  /** By `namespace.table`: those of the lake's tables that tell of persons. */
  tables: Record<string, PersonErased>
  /** Tables that others made. What they tell of nobody has said, so they were not looked into. */
  unknown: string[]
}

/** @throws as `erasePerson` does; what is thrown names the table */
export async function eraseFromLake(
  lake: Lake,
  { pseudonyms, told }: ErasedSubject,
  { onProgress, ...options }: EraseFromLakeOptions = {},
): Promise<LakeErasure> {
  const done: LakeErasure = { tables: {}, unknown: [] }
  const all = (await lake.catalog.metadataLocations()).map(({ table }) => table)
  for (const table of all.sort((a, b) => (tableText(a) < tableText(b) ? -1 : 1))) {
    const text = tableText(table)
    const persons = personsIn(text)
    if (persons === undefined) done.unknown.push(text)
    if (persons === undefined || typeof persons === 'string') continue
    options.signal?.throwIfAborted()
    try {
      done.tables[text] = await erasePerson(lake, table, persons, pseudonyms, {
        ...options,
        later: laterIn(text, told),
        onProgress: (what) => onProgress?.(`${text}: ${what}`),
      })
    } catch (error) {
      // Dropped since the list was made.
      if (!(error instanceof NoSuchTable)) throw error
    }
  }
  return done
}
