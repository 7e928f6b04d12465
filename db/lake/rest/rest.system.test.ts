/** The REST catalog on the real one in PostgreSQL, several servers at once: what the database has to hold together holds. */
import { expect, test } from 'vitest'
import { withPostgres } from '../../testing/postgres.ts'
import { openJdbcCatalog } from '../catalog/jdbc-catalog.ts'
import { type Lake, loadTable, openLake } from '../commit/lake.ts'
import { temporaryLakes } from '../testing/temporary-lake.ts'
import type { CatalogRefused } from './refused.ts'
import { parseBody } from './requests.ts'
import { openRestCatalog, type RestCatalog } from './rest-catalog.ts'

const postgres = withPostgres()
const lakeIn = temporaryLakes()
const schema = { type: 'struct', fields: [{ id: 1, name: 'id', required: true, type: 'long' }] }
const SERVERS = 8
const of = (name: string) => ({ namespace: ['raw'], name })

/** As many edges over one database and one folder. */
async function servers(): Promise<{ lake: Lake; rests: RestCatalog[] }> {
  const lakes: Lake[] = []
  const { sql } = await postgres.database({ max: SERVERS })
  const first = await lakeIn({ catalog: await openJdbcCatalog(sql) })
  for (let i = 0; i < SERVERS; i++) lakes.push(openLake(await openJdbcCatalog(sql), first.files))
  const rests = lakes.map(openRestCatalog)
  await rests[0]!.createNamespace({ namespace: ['raw'] })
  return { lake: first, rests }
}
const outcome = (act: Promise<unknown>): Promise<string> =>
  act.then(
    () => 'done',
    (error: CatalogRefused) => error.reason ?? String(error),
  )
const all = (
  rests: readonly RestCatalog[],
  act: (rest: RestCatalog, i: number) => Promise<unknown>,
): Promise<string[]> => Promise.all(rests.map((rest, i) => outcome(act(rest, i))))
const times = (outcomes: readonly string[], what: string): number => outcomes.filter((each) => each === what).length

test('of many who make one namespace, one table, or rename to one name, one wins', async () => {
  const { lake, rests } = await servers()
  const namespaces = await all(rests, (rest, i) =>
    rest.createNamespace({ namespace: ['raw', 'deep'], properties: { [`by${i}`]: 'x' } }),
  )
  expect([times(namespaces, 'done'), times(namespaces, 'namespace_exists')]).toEqual([1, SERVERS - 1])
  // Nothing of those who came too late.
  expect(Object.keys((await lake.catalog.namespaceProperties('raw.deep'))!).sort()).toHaveLength(2)

  const tables = await all(rests, (rest) =>
    rest.createTable(['raw'], parseBody('createTable', { name: 'one', schema })),
  )
  expect([times(tables, 'done'), times(tables, 'table_exists')]).toEqual([1, SERVERS - 1])
  const { metadata } = await loadTable(lake, { namespace: 'raw', name: 'one' })
  const files: string[] = []
  for await (const page of lake.files.list(`${lake.files.warehouse}/raw/`)) files.push(...page.map(({ uri }) => uri))
  expect(files.map((uri) => uri.startsWith(`${metadata.location}/`))).toEqual([true])

  for (let i = 0; i < SERVERS; i++)
    await rests[0]!.createTable(['raw'], parseBody('createTable', { name: `t${i}`, schema }))
  const renames = await all(rests, (rest, i) => rest.renameTable({ source: of(`t${i}`), destination: of('same') }))
  expect([times(renames, 'done'), times(renames, 'table_exists')]).toEqual([1, SERVERS - 1])
  expect((await rests[0]!.listTables(['raw'], {})).identifiers).toHaveLength(SERVERS + 1)
})

test('commits of many servers to one table: each lands once, or is told that it came too late', async () => {
  const { lake, rests } = await servers()
  await rests[0]!.createTable(['raw'], parseBody('createTable', { name: 'events', schema }))
  const column = (i: number) => ({ id: 2, name: `by${i}`, required: false, type: 'string' })
  const evolve = (i: number) =>
    parseBody('commitTable', {
      requirements: [{ type: 'assert-last-assigned-field-id', 'last-assigned-field-id': 1 }],
      updates: [
        { action: 'add-schema', schema: { ...schema, fields: [...schema.fields, column(i)] } },
        { action: 'set-current-schema', 'schema-id': -1 },
      ],
    })
  const schemas = await all(rests, (rest, i) => rest.commitTable(of('events'), evolve(i)))
  expect([times(schemas, 'done'), times(schemas, 'commit_failed')]).toEqual([1, SERVERS - 1])

  const set = (i: number) =>
    parseBody('commitTable', {
      requirements: [],
      updates: [{ action: 'set-properties', updates: { [`by${i}`]: 'x' } }],
    })
  const sets = await all(rests, (rest, i) => rest.commitTable(of('events'), set(i)))
  const { metadata } = await loadTable(lake, { namespace: 'raw', name: 'events' })
  const landed = Object.keys(metadata.properties).filter((key) => key.startsWith('by'))
  expect(landed.sort()).toEqual(sets.flatMap((each, i) => (each === 'done' ? [`by${i}`] : [])).sort())
  expect(times(sets, 'done') + times(sets, 'commit_failed')).toBe(SERVERS)
  expect(metadata['metadata-log']).toHaveLength(1 + landed.length)
})

test('transactions over two tables at once, in either order: both tables tell the same', async () => {
  const { lake, rests } = await servers()
  for (const name of ['a', 'b']) await rests[0]!.createTable(['raw'], parseBody('createTable', { name, schema }))
  const change = (name: string, key: string) => ({
    identifier: of(name),
    requirements: [],
    updates: [{ action: 'set-properties', updates: { last: key, [key]: 'x' } }],
  })
  const outcomes = await all(rests, (rest, i) => {
    const both = [change('a', `by${i}`), change('b', `by${i}`)]
    return rest.commitTransaction(
      parseBody('commitTransaction', { 'table-changes': i % 2 === 0 ? both : both.reverse() }),
    )
  })
  const [a, b] = await Promise.all(['a', 'b'].map((name) => loadTable(lake, { namespace: 'raw', name })))
  expect(a!.metadata.properties).toEqual(b!.metadata.properties)
  const landed = Object.keys(a!.metadata.properties).filter((key) => key.startsWith('by'))
  expect(landed).toHaveLength(times(outcomes, 'done'))
  expect(landed.length).toBeGreaterThan(0)
  expect(times(outcomes, 'done') + times(outcomes, 'commit_failed')).toBe(SERVERS)

  // One of two tables is changed by another in the very moment: neither is.
  const locations = await lake.catalog.metadataLocations()
  const [from, other] = locations.map((each) => ({ ...each, to: `${each.metadataLocation}-next` }))
  expect(
    await lake.catalog.swapAll([
      { table: from!.table, from: from!.metadataLocation, to: from!.to },
      { table: other!.table, from: 'something else', to: other!.to },
    ]),
  ).toBe(false)
  expect(await lake.catalog.metadataLocations()).toEqual(expect.arrayContaining(locations))
})

test('namespaces of other engines: without a row of their own, with names that look like patterns, and views in them', async () => {
  const { sql } = await postgres.database()
  const catalog = await openJdbcCatalog(sql)
  const lake = await lakeIn({ catalog })
  const rest = openRestCatalog(lake)
  // PyIceberg leaves out `exists` where there are other properties; a table alone makes its namespace be there.
  await sql`INSERT INTO iceberg_namespace_properties VALUES ('lake', 'py', 'owner', 'ada'), ('lake', 'a%b.c_d', 'x', 'y')`
  await sql`INSERT INTO iceberg_tables VALUES ('lake', 'implied', 'v', 'somewhere', NULL, 'VIEW')`
  expect((await rest.listNamespaces(null, {})).namespaces).toEqual([['a%b'], ['implied'], ['py']])
  expect(await catalog.createNamespace('py', { more: 'x' })).toBe(false)
  await rest.updateNamespace(['py'], { removals: ['owner'] })
  expect(Object.keys((await rest.loadNamespace(['py'])).properties)).toEqual(['location'])
  expect(await outcome(rest.dropNamespace(['implied']))).toBe('namespace_not_empty')
  expect((await rest.listTables(['implied'], {})).identifiers).toEqual([])
  expect(await outcome(rest.createTable(['implied'], parseBody('createTable', { name: 'v', schema })))).toBe(
    'table_exists',
  )
  await rest.createNamespace({ namespace: ['axb'] })
  expect(await outcome(rest.dropNamespace(['a%b']))).toBe('namespace_not_empty')
  await rest.dropNamespace(['axb'])
  await rest.dropNamespace(['a%b', 'c_d'])
  await rest.dropNamespace(['py'])
  expect((await rest.listNamespaces(null, {})).namespaces).toEqual([['implied']])
})
