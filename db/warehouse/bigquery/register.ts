/**
 * The star schema as external tables of BigQuery, which read the lake's files in place: each is told which metadata file is the table's current one.
 *
 * Invariant: BigQuery is never set back. It is asked for a table first, and the catalog behind that; the change is refused if the table is not the one that was asked for any more. So what is replaced was
 * registered before the catalog was read, and can't be newer; and of several workers at once none undoes another's.
 */
import { currentSnapshot, type Lake, loadTable } from '../../lake/index.ts'
import { tableOf } from '../../models/build.ts'
import { type Model, NAMESPACE } from '../../models/models.ts'
import { PUBLISHED } from '../publish.ts'
import { type BigQueryApi, type BigQueryTable, bigQueryApi } from './api.ts'
import { CannotRegister, GoogleUnavailable } from './errors.ts'
import type { Tools } from './request.ts'
import type { BigQuerySettings } from './settings.ts'
import type { TokenSource } from './workload-token.ts'

/** What a table is in BigQuery, beside what it is in the lake. `gone`: only BigQuery has it. */
export type Registered = 'current' | 'behind' | 'not registered' | 'no rows yet' | 'gone'

export interface Registration {
  /** As in the lake: `analytics.fact_events`. */
  table: string
  /** What it was; it is `current` afterwards where it was `behind` or `not registered`. */
  was: Registered
  /** What BigQuery reads now; null: nothing. */
  metadata: string | null
  /** The metadata file that the catalog had last when it was looked at; null: no table. */
  inLake: string | null
}

export interface RegisterOptions extends Tools {
  lake: Lake
  token: TokenSource
  onTable?: ((table: string) => void) | undefined
}

/** Others were faster each time. */
const ATTEMPTS = 5

/** Tables that neither has are left out. @throws CannotRegister where trying again helps none of those that failed, GoogleUnavailable; the others are registered */
export const registerStarSchema = (settings: BigQuerySettings, options: RegisterOptions): Promise<Registration[]> =>
  overTables(settings, options, async (api, model) => {
    for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
      const found = await compare(api, options.lake, model)
      if (found === null) return null
      const { was, there, location } = found
      const registration = registrationOf(model, found)
      if (location === null || (was !== 'behind' && was !== 'not registered')) return registration
      const change = there ? api.update(model.name, location, there.etag) : api.create(model.name, location)
      const isDone = await change.catch(async (error) => {
        // A commit meanwhile may have removed the file that BigQuery was told of: those of an erasure do.
        const now = await options.lake.catalog.metadataLocation(tableOf(model))
        if (now === location || attempt === ATTEMPTS || error instanceof GoogleUnavailable) throw error
        return false
      })
      if (isDone) return { ...registration, metadata: location }
    }
    throw new GoogleUnavailable(`${nameOf(model)} was registered by others ${ATTEMPTS} times meanwhile. Try again.`)
  })

/** The same, and nothing is changed. */
export const bigQueryStatus = (settings: BigQuerySettings, options: RegisterOptions): Promise<Registration[]> =>
  overTables(settings, options, async (api, model) => {
    const found = await compare(api, options.lake, model)
    return found && registrationOf(model, found)
  })

const nameOf = ({ name }: Model): string => `${NAMESPACE}.${name}`

interface Compared {
  was: Registered
  there: BigQueryTable | null
  /** The current metadata file; null: the lake has no such table. */
  location: string | null
}

const registrationOf = (model: Model, { was, there, location }: Compared): Registration => ({
  table: nameOf(model),
  was,
  metadata: there?.metadata ?? null,
  inLake: location,
})

/** In this order: see the head. @returns null where neither has the table */
async function compare(api: BigQueryApi, lake: Lake, model: Model): Promise<Compared | null> {
  const there = await api.table(model.name)
  const location = await lake.catalog.metadataLocation(tableOf(model))
  if (location === null) return there && { was: 'gone', there, location }
  if (there) return { was: stateOf(there, location, { lake, model }), there, location }
  // A table without a snapshot has nothing that could be read.
  const { metadata } = await loadTable(lake, tableOf(model))
  return { was: currentSnapshot(metadata) ? 'not registered' : 'no rows yet', there, location }
}

function stateOf(
  { metadata }: BigQueryTable,
  location: string,
  { lake, model }: { lake: Lake; model: Model },
): Registered {
  if (metadata === location) return 'current'
  if (metadata === null || !metadata.startsWith(`${lake.files.warehouse}/`))
    throw new CannotRegister(
      `BigQuery has a table ${model.name} that is ${metadata === null ? 'not of a lake' : `of another lake (${metadata})`}: it is left as it is. Rename it there, or name another dataset in BIGQUERY_DATASET.`,
    )
  if (folderOf(metadata) === folderOf(location) && numberOf(metadata) > numberOf(location))
    throw new CannotRegister(
      `BigQuery reads ${model.name} by ${metadata}, and the catalog is at ${location}, which is older: was the database brought back from a backup? Drop the table in BigQuery to have it registered as the catalog has it.`,
    )
  return 'behind'
}

const folderOf = (metadata: string): string => metadata.slice(0, metadata.lastIndexOf('/'))
/** Every commit's is one higher, in all engines; 0 where it has none. */
const numberOf = (metadata: string): number => Number(/\/(\d+)-[^/]*$/.exec(metadata)?.[1] ?? 0)

/** One table after the other; what fails does not keep the others from their turn. */
async function overTables(
  settings: BigQuerySettings,
  { lake, token, clock, signal, onTable }: RegisterOptions,
  each: (api: BigQueryApi, model: Model) => Promise<Registration | null>,
): Promise<Registration[]> {
  if (!lake.files.warehouse.startsWith('gs://'))
    throw new CannotRegister(
      `BigQuery reads files that are named gs://, and the lake's are below ${lake.files.warehouse}. STREAMFORGE_OBJECTS_URL=gs://BUCKET/PREFIX begins a lake that it can read.`,
    )
  const api = bigQueryApi(settings, token, { clock, signal })
  const done: Registration[] = []
  const failed: { name: string; error: Error }[] = []
  for (const model of PUBLISHED) {
    signal?.throwIfAborted()
    onTable?.(model.name)
    try {
      const registration = await each(api, model)
      if (registration) done.push(registration)
    } catch (error) {
      signal?.throwIfAborted()
      failed.push({ name: model.name, error: error as Error })
      // Who is not there for one table is there for none, and each would be waited for.
      if (error instanceof GoogleUnavailable) break
    }
  }
  const [first] = failed
  if (first === undefined) return done
  const isHopeless = failed.every(({ error }) => error instanceof CannotRegister)
  // One reason for all of them is told once.
  const whys = [...new Set(failed.map(({ name, error }) => error.message.replaceAll(`.${name} `, '.… ')))]
  throw new (isHopeless ? CannotRegister : GoogleUnavailable)(
    `${failed.length} ${failed.length === 1 ? 'table is' : 'tables are'} not in BigQuery as the lake has them (${failed.map(({ name }) => name).join(', ')}). ${whys.join(' ')}`,
    { cause: first.error },
  )
}
