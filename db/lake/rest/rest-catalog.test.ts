/** The REST catalog over a lake in a folder: what clients may do to it, together and against each other, and what they may not. */
import { existsSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { ObjectStoreError } from '../../objects/object-store.ts'
import { appendFiles } from '../commit/append.ts'
import { type Lake, loadTable, openLake } from '../commit/lake.ts'
import { snapshotById } from '../metadata/table-metadata.ts'
import { openWriter } from '../parquet/writer.ts'
import { createMemoryCatalog, temporaryLakes } from '../testing/temporary-lake.ts'
import { childrenOf, pageOf } from './names.ts'
import type { CatalogRefused } from './refused.ts'
import { type Bodies, parseBody } from './requests.ts'
import { openRestCatalog, type RestCatalog } from './rest-catalog.ts'
import { isBelow } from './within.ts'

const newLake = temporaryLakes()
const schema = {
  type: 'struct',
  fields: [
    { id: 1, name: 'id', required: true, type: 'long' },
    { id: 2, name: 'text', required: false, type: 'string' },
  ],
}
const identifier = { namespace: ['raw'], name: 'events' }
const events = { namespace: 'raw', name: 'events' }
const newTable = (more: object = {}): Bodies['createTable'] =>
  parseBody('createTable', { name: 'events', schema, ...more })
const commit = (requirements: object[], ...updates: object[]) => parseBody('commitTable', { requirements, updates })
const setProperty = (key: string, value: string) => ({ action: 'set-properties', updates: { [key]: value } })

async function withEvents(lake: Promise<Lake> = newLake()): Promise<{ lake: Lake; rest: RestCatalog }> {
  const opened = await lake
  const rest = openRestCatalog(opened)
  await rest.createNamespace({ namespace: ['raw'] })
  await rest.createTable(['raw'], newTable())
  return { lake: opened, rest }
}
const refusal = async (act: Promise<unknown>): Promise<string> =>
  act.then(
    () => 'nothing was refused',
    (error: CatalogRefused) => `${error.reason}: ${error.message}`,
  )

/** A snapshot as a client would add it, its files written, its place in the table's history not yet taken. */
async function prepared({ lake, rest }: { lake: Lake; rest: RestCatalog }, id: number) {
  const { metadata } = await rest.loadTable(identifier, 'all')
  const aside = openLake(createMemoryCatalog(), lake.files)
  const location = `${metadata.location}/metadata/aside-${id}.metadata.json`
  await lake.files.write(location, Buffer.from(JSON.stringify(metadata)))
  await aside.catalog.create(events, location)
  const writer = await openWriter(aside, metadata)
  await writer.appendRows([{ id: BigInt(id), text: `row ${id}` }])
  const table = await appendFiles(aside, events, await writer.finish())
  const snapshot = table.metadata.snapshots.at(-1)!
  const head = metadata.refs.main?.['snapshot-id'] ?? null
  const updates = (changed: object = snapshot) => [
    { action: 'add-snapshot', snapshot: changed },
    { action: 'set-snapshot-ref', 'ref-name': 'main', type: 'branch', 'snapshot-id': snapshot['snapshot-id'] },
  ]
  return { snapshot, updates, requirement: { type: 'assert-ref-snapshot-id', ref: 'main', 'snapshot-id': head } }
}

describe('commits', () => {
  it('of many at once: of those from one snapshot one lands, the others are told to read again', async () => {
    const both = await withEvents()
    const all = await Promise.all([1, 2, 3, 4, 5, 6, 7, 8].map((id) => prepared(both, id)))
    const outcomes = await Promise.all(
      all.map(({ updates, requirement }) =>
        refusal(both.rest.commitTable(identifier, commit([requirement], ...updates()))),
      ),
    )
    expect(outcomes.filter((each) => each === 'nothing was refused')).toHaveLength(1)
    expect(outcomes.filter((each) => each.startsWith('commit_failed: The table raw.events has changed'))).toHaveLength(
      7,
    )
    const { metadata } = await loadTable(both.lake, events)
    expect(metadata.snapshots).toHaveLength(1)
  })

  it('of many at once that require nothing of each other: every one lands, once', async () => {
    const { lake, rest } = await withEvents()
    const keys = Array.from({ length: 8 }, (_, i) => `key-${i}`)
    await Promise.all(keys.map((key) => rest.commitTable(identifier, commit([], setProperty(key, 'x')))))
    const { metadata, metadataLocation } = await loadTable(lake, events)
    expect(Object.keys(metadata.properties)).toEqual(expect.arrayContaining(keys))
    // What lost attempts wrote is gone: the files are those that the log names, and the current one.
    const files: string[] = []
    for await (const page of lake.files.list(`${metadata.location}/metadata/`))
      files.push(...page.map(({ uri }) => uri))
    expect(files.sort()).toEqual(
      [...metadata['metadata-log'].map((each) => each['metadata-file']), metadataLocation].sort(),
    )
  })

  it('that change nothing write nothing', async () => {
    const { lake, rest } = await withEvents()
    const before = (await loadTable(lake, events)).metadataLocation
    expect((await rest.commitTable(identifier, commit([])))['metadata-location']).toBe(before)
  })

  it('make a table that was staged; of two one does', async () => {
    const { lake, rest } = await withEvents()
    const staged = await rest.createTable(
      ['raw'],
      newTable({ name: 'staged', 'stage-create': true, properties: { a: 'b' } }),
    )
    expect(staged).not.toHaveProperty('metadata-location')
    expect(await lake.catalog.metadataLocation({ namespace: 'raw', name: 'staged' })).toBeNull()
    const { metadata } = staged
    const body = commit(
      [{ type: 'assert-create' }],
      { action: 'assign-uuid', uuid: metadata['table-uuid'] },
      { action: 'add-schema', schema: metadata.schemas[0] },
      { action: 'set-current-schema', 'schema-id': -1 },
      { action: 'set-location', location: metadata.location },
      { action: 'set-properties', updates: metadata.properties },
    )
    const name = { namespace: ['raw'], name: 'staged' }
    const outcomes = await Promise.all([1, 2].map(() => refusal(rest.commitTable(name, body))))
    expect(outcomes.sort()).toEqual(['nothing was refused', expect.stringMatching(/^table_exists/)])
    expect((await rest.loadTable(name, 'all')).metadata).toMatchObject({
      location: metadata.location,
      properties: { a: 'b' },
    })
    expect(await refusal(rest.commitTable({ namespace: ['nope'], name: 'staged' }, body))).toMatch(/^no_such_namespace/)
  })

  it('of several tables land together or not at all', async () => {
    const { lake, rest } = await withEvents()
    await rest.createTable(['raw'], newTable({ name: 'other' }))
    const change = (name: string, schemaId: number) => ({
      identifier: { namespace: ['raw'], name },
      requirements: [{ type: 'assert-current-schema-id', 'current-schema-id': schemaId }],
      updates: [setProperty('done', 'yes')],
    })
    const body = (...changes: object[]) => parseBody('commitTransaction', { 'table-changes': changes })
    expect(await refusal(rest.commitTransaction(body(change('events', 0), change('other', 7))))).toMatch(
      /^commit_failed: The table raw.other/,
    )
    expect(await refusal(rest.commitTransaction(body(change('events', 0), change('none', 0))))).toMatch(
      /^no_such_table/,
    )
    expect(await refusal(rest.commitTransaction(body(change('events', 0), change('events', 0))))).toMatch(
      /each table once/,
    )
    const done = async () => [
      (await loadTable(lake, events)).metadata.properties.done,
      (await loadTable(lake, { namespace: 'raw', name: 'other' })).metadata.properties.done,
    ]
    expect(await done()).toEqual([undefined, undefined])
    await rest.commitTransaction(body(change('other', 0), change('events', 0)))
    expect(await done()).toEqual(['yes', 'yes'])
  })
})

describe('when a store fails', () => {
  it('a commit whose answer was lost has happened, or is told to be unknown', async () => {
    const catalog = createMemoryCatalog()
    const { rest } = await withEvents(newLake({ catalog, clock: { now: () => Date.now(), sleep: async () => {} } }))
    const swap = catalog.swap.bind(catalog)
    catalog.swap = async (...args) => {
      catalog.swap = swap
      await swap(...args)
      throw Object.assign(new Error('gone'), { code: 'CONNECTION_CLOSED' })
    }
    const { metadata } = await rest.commitTable(identifier, commit([], setProperty('a', '1')))
    expect(metadata.properties.a).toBe('1')
    expect((await rest.loadTable(identifier, 'all')).metadata.properties.a).toBe('1')

    const broken = (code: string) => async () => {
      throw Object.assign(new Error('gone'), { code })
    }
    catalog.swap = broken('CONNECTION_CLOSED')
    expect(await refusal(rest.commitTable(identifier, commit([], setProperty('a', '2'))))).toMatch(
      /^state_unknown: .*raw.events/,
    )
    catalog.swap = broken('ECONNREFUSED')
    expect(await refusal(rest.commitTable(identifier, commit([], setProperty('a', '2'))))).toMatch(
      /^unavailable: .*Nothing was committed/,
    )
  })

  it('is told in a sentence, and damage names the file', async () => {
    const { lake, rest } = await withEvents()
    const { metadataLocation } = await loadTable(lake, events)
    const away = openRestCatalog({
      ...lake,
      files: { ...lake.files, read: () => Promise.reject(new ObjectStoreError('no', 'ECONNREFUSED')) },
    })
    expect(await refusal(away.loadTable(identifier, 'all'))).toMatch(/^unavailable: The object store/)
    await lake.files.delete([metadataLocation])
    const missing = await refusal(rest.loadTable(identifier, 'all'))
    expect(missing).toContain(`unprocessable: The lake's file ${metadataLocation} is missing`)
  })
})

describe('files outside of the warehouse', () => {
  const places = { warehouse: 'file:///lake', normalise: (uri: string) => uri }
  it.each([
    ['file:///lake/raw/x', true],
    ['file:///lake/raw/at=2026-01-01/ü %41.parquet', true],
    ['file:///lake', false],
    ['file:///lake/', false],
    ['file:///lakes/x', false],
    ['file:///lake/../etc/passwd', false],
    ['file:///lake/a/%2e%2e/%2E%2E/etc', false],
    ['file:///lake/a/..%2fb', false],
    ['file:///lake/a//b', false],
    ['file:///lake/a\\..\\b', false],
    ['file:///lake/a?x', false],
    ['s3://lake/x', false],
    ['/lake/x', false],
  ])('%s is below: %s', (uri, is) => {
    expect(isBelow(places, places.warehouse, uri)).toBe(is)
  })

  it('can be no place of a table, and neither can the folder of another', async () => {
    const { lake, rest } = await withEvents()
    const { warehouse } = lake.files
    const { location } = (await loadTable(lake, events)).metadata
    const create = (where: string) => refusal(rest.createTable(['raw'], newTable({ name: 'more', location: where })))
    for (const where of ['file:///etc', `${warehouse}/../x`, warehouse])
      expect(await create(where)).toMatch(/^bad_request: .*outside/)
    for (const where of [location, `${location}/below`, `${warehouse}/raw`])
      expect(await create(where)).toMatch(/^bad_request: .*files of the table raw.events/)
    expect(await create(`${warehouse}/elsewhere/more/`)).toBe('nothing was refused')
    const change = (update: object) => refusal(rest.commitTable(identifier, commit([], update)))
    expect(await change({ action: 'set-location', location: 'file:///etc' })).toMatch(/outside/)
    expect(await change({ action: 'set-location', location: `${warehouse}/elsewhere/more` })).toMatch(
      /files of the table raw.more/,
    )
    for (const key of ['write.metadata.path', 'write.data.path', 'write.object-storage.path'])
      expect(await change(setProperty(key, 'file:///tmp'))).toMatch(
        new RegExp(`^bad_request: The property ${key}, .*outside`),
      )
    expect(
      await refusal(rest.createNamespace({ namespace: ['out'], properties: { location: 'file:///etc' } })),
    ).toMatch(/outside/)
  })

  it('can be named by no snapshot: not as manifest list, not in it, not in its manifests', async () => {
    const both = await withEvents()
    const { lake, rest } = both
    const { snapshot, updates } = await prepared(both, 1)
    const list = (uri: string) =>
      refusal(rest.commitTable(identifier, commit([], ...updates({ ...snapshot, 'manifest-list': uri }))))
    expect(await list('file:///etc/passwd')).toMatch(/^bad_request: The manifest list .* outside/)
    const missing = snapshot['manifest-list'].replace('.avro', '-none.avro')
    expect(await list(missing)).toMatch(/^bad_request: The snapshot \d+ can't be read: .*missing/)
    expect(await list((await loadTable(lake, events)).metadataLocation)).toMatch(
      /^bad_request: The snapshot \d+ can't be read/,
    )

    // The same table seen from a smaller warehouse: its own files are now the ones outside.
    const smaller = {
      ...lake,
      files: { ...lake.files, warehouse: `${(await loadTable(lake, events)).metadata.location}/metadata` },
    }
    expect(await refusal(openRestCatalog(smaller).commitTable(identifier, commit([], ...updates())))).toMatch(
      /^bad_request: The data file .* outside/,
    )
    expect(await refusal(rest.commitTable(identifier, commit([], ...updates())))).toBe('nothing was refused')
  })
})

describe('tables', () => {
  it('are shown with all snapshots, or with heads of branches and tags alone', async () => {
    const both = await withEvents()
    for (const id of [1, 2]) {
      const { updates, requirement } = await prepared(both, id)
      await both.rest.commitTable(identifier, commit([requirement], ...updates()))
    }
    const load = async (how: 'all' | 'refs') => (await both.rest.loadTable(identifier, how)).metadata
    expect((await load('all')).snapshots).toHaveLength(2)
    const heads = await load('refs')
    expect(heads.snapshots).toHaveLength(1)
    expect(snapshotById(heads, heads.refs.main!['snapshot-id'])).toBeDefined()
    const [older] = (await load('all')).snapshots
    const remove = (id: unknown) =>
      both.rest.commitTable(identifier, commit([], { action: 'remove-snapshots', 'snapshot-ids': [id] }))
    expect(await refusal(remove(heads['current-snapshot-id']))).toMatch(/is the head of "main" and can't be removed/)
    expect((await remove(older!['snapshot-id'])).metadata.snapshots).toHaveLength(1)
  })

  it('keep the columns that they are partitioned by', async () => {
    const { rest } = await withEvents()
    await rest.createTable(
      ['raw'],
      newTable({
        name: 'parts',
        'partition-spec': { fields: [{ 'source-id': 2, name: 'text', transform: 'identity' }] },
      }),
    )
    const without = { type: 'struct', fields: schema.fields.slice(0, 1) }
    const drop = commit(
      [],
      { action: 'add-schema', schema: without },
      { action: 'set-current-schema', 'schema-id': -1 },
    )
    expect(await refusal(rest.commitTable({ ...identifier, name: 'parts' }, drop))).toMatch(
      /lacks the field 2, by which the table is partitioned/,
    )
  })

  it('are dropped with their files when they are to be purged, and without them else', async () => {
    const both = await withEvents()
    const { lake, rest } = both
    const { updates } = await prepared(both, 1)
    await rest.commitTable(identifier, commit([], ...updates()))
    await rest.createTable(['raw'], newTable({ name: 'kept' }))
    const kept = { namespace: 'raw', name: 'kept' }
    const paths = async (location: string) => {
      const found: string[] = []
      for await (const page of lake.files.list(location))
        found.push(...page.map(({ uri }) => uri.slice('file://'.length)))
      return found
    }
    const { metadata } = await loadTable(lake, events)
    const { metadata: keptMetadata } = await loadTable(lake, kept)
    await rest.dropTable({ namespace: ['raw'], name: 'kept' }, { purge: false })
    expect(await paths(keptMetadata.location)).toHaveLength(1)
    const before = await paths(metadata.location)
    await rest.dropTable(identifier, { purge: true })
    // What no metadata of the table ever named is not the table's.
    const aside = before.filter((path) => /aside-|00001/.test(path) && existsSync(path))
    expect(await paths(metadata.location)).toEqual(aside.sort())
    expect(before.length - aside.length).toBeGreaterThanOrEqual(5)
    expect(await refusal(rest.dropTable(identifier, { purge: true }))).toMatch(/^no_such_table/)
    expect(await refusal(rest.loadTable(identifier, 'all'))).toMatch(/^no_such_table/)
  })
})

describe('names', () => {
  it('that other catalogs could not keep are refused', async () => {
    const { rest } = await withEvents()
    for (const level of ['', 'a.b', '../x', 'a\u001fb', 'x'.repeat(256), '\ud800'])
      expect(await refusal(rest.createNamespace({ namespace: ['raw', level] }))).toMatch(/^bad_request/)
    for (const name of ['', 'a.b', '..', 'a/b', 'a\0'])
      expect(await refusal(rest.createTable(['raw'], newTable({ name })))).toMatch(/^bad_request/)
    expect(await refusal(rest.createNamespace({ namespace: [] }))).toMatch(/^bad_request/)
    expect(await refusal(rest.createNamespace({ namespace: ['x'], properties: { a: 'x'.repeat(1_001) } }))).toMatch(
      /^bad_request/,
    )
    const odd = await rest.createTable(['raw'], newTable({ name: 'größe 100%' }))
    expect(odd.metadata.location).toMatch(/\/raw\/gr__e_100_-[0-9a-f]{8}$/)
  })

  it('of namespaces are there with those below them, and come in pages', () => {
    const all = ['a.b.c', 'a.d', 'ab', 'z']
    expect(childrenOf(all, null)).toEqual(['a', 'ab', 'z'])
    expect(childrenOf(all, 'a')).toEqual(['a.b', 'a.d'])
    expect(childrenOf(all, 'z')).toEqual([])
    const names = Array.from({ length: 25 }, (_, i) => `t${String(i).padStart(2, '0')}`)
    const seen: string[] = []
    for (let token: string | null = ''; token !== null; ) {
      const page = pageOf(names, { token, size: 10 })
      seen.push(...page.names)
      token = page.next
    }
    expect(seen).toEqual(names)
    expect(pageOf(names, {}).next).toBeNull()
    expect(() => pageOf(names, { token: 'no token' })).toThrow(/none of ours/)
  })

  it('of namespaces stay while something is in them', async () => {
    const { lake, rest } = await withEvents()
    expect(await refusal(rest.dropNamespace(['raw']))).toMatch(/^namespace_not_empty/)
    await rest.createNamespace({ namespace: ['deep', 'down'], properties: { a: '1', b: '2' } })
    expect((await rest.loadNamespace(['deep'])).properties).toEqual({ location: `${lake.files.warehouse}/deep` })
    expect(await refusal(rest.dropNamespace(['deep']))).toMatch(/^namespace_not_empty/)
    expect(await rest.updateNamespace(['deep', 'down'], { removals: ['a', 'c'], updates: { d: '3' } })).toEqual({
      updated: ['d'],
      removed: ['a'],
      missing: ['c'],
    })
    expect(await rest.loadNamespace(['deep', 'down'])).toEqual({
      namespace: ['deep', 'down'],
      properties: { b: '2', d: '3', location: `${lake.files.warehouse}/deep/down` },
    })
    expect(await refusal(rest.updateNamespace(['deep', 'down'], { removals: ['b'], updates: { b: '1' } }))).toMatch(
      /^unprocessable/,
    )
    await rest.dropNamespace(['deep', 'down'])
    expect(await refusal(rest.loadNamespace(['deep', 'down']))).toMatch(/^no_such_namespace/)
    expect(await refusal(rest.createNamespace({ namespace: ['raw'] }))).toMatch(/^namespace_exists/)
  })

  it('of tables change, into other namespaces too, and never over another', async () => {
    const { rest } = await withEvents()
    await rest.createTable(['raw'], newTable({ name: 'other' }))
    await rest.createNamespace({ namespace: ['more'] })
    const to = (namespace: string, name: string) => ({
      source: identifier,
      destination: { namespace: [namespace], name },
    })
    expect(await refusal(rest.renameTable(to('raw', 'other')))).toMatch(/^table_exists/)
    expect(await refusal(rest.renameTable(to('none', 'x')))).toMatch(/^no_such_namespace/)
    await rest.renameTable(to('more', 'moved'))
    expect((await rest.listTables(['more'], {})).identifiers).toEqual([{ namespace: ['more'], name: 'moved' }])
    expect(await refusal(rest.renameTable(to('more', 'again')))).toMatch(/^no_such_table/)
  })
})
