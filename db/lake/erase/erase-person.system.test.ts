/**
 * A person erased from tables of real files: whatever is left in the table's folder is decoded and searched, every remaining snapshot is read, and what is counted over the rows is what it was.
 */
import { randomUUID } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import {
  appendFiles,
  compact,
  createTable,
  currentSnapshot,
  erasePerson,
  type Lake,
  loadTable,
  openWriter,
  type PersonalColumns,
  partitionBy,
  planScan,
  type Row,
  replaceFiles,
  schemaOf,
  tableName,
} from '../index.ts'
import { filesNaming } from '../testing/files-naming.ts'
import { equalityDeletes, positionDeletes } from '../testing/foreign-deletes.ts'
import { allRows, type TestCatalog, temporaryLakes } from '../testing/temporary-lake.ts'

const lakeIn = temporaryLakes()
const name = tableName('raw.visits')
const schema = schemaOf([
  { name: 'id', type: 'long', required: true },
  { name: 'day', type: 'date' },
  { name: 'user_id', type: 'string' },
  { name: 'anonymous_id', type: 'string' },
  { name: 'page', type: 'string' },
  { name: 'note', type: 'string', required: true },
  { name: 'value', type: 'binary' },
  { name: 'amount', type: 'long' },
])
const columns: PersonalColumns = { ids: ['user_id', 'anonymous_id'], telling: ['page', 'note'] }
const small = { memoryMb: 128, threads: 1 }

const USER = 'person-to-forget'
const DEVICE = 'anon-77'
const EMAIL = 'forget.me@example.org'
const subject = () =>
  new Map([
    [USER, `erased-${randomUUID()}-0`],
    [DEVICE, `erased-${randomUUID()}-1`],
  ])

const row = (id: number, user: string | null, more: Row = {}): Row => ({
  id: BigInt(id),
  day: id % 2,
  user_id: user,
  anonymous_id: null,
  page: `/p/${id}`,
  note: `n${id}`,
  value: null,
  amount: BigInt(id * 10),
  ...more,
})
const theirs = (id: number, more: Row = {}) => row(id, USER, { page: `/me?mail=${EMAIL}`, note: EMAIL, ...more })

async function append(lake: Lake, rows: Row[]) {
  const writer = await openWriter(lake, (await loadTable(lake, name)).metadata, small)
  await writer.appendRows(rows)
  const files = await writer.finish()
  await appendFiles(lake, name, files)
  return files
}
async function lakeWith(...appends: Row[][]) {
  const lake = await lakeIn()
  await createTable(lake, name, { schema, spec: partitionBy(schema, [{ column: 'day', transform: 'identity' }]) })
  for (const rows of appends) await append(lake, rows)
  return lake
}
const erase = (lake: Lake, map = subject(), options = {}) =>
  erasePerson(lake, name, columns, map, { ...small, ...options })
const locationOf = async (lake: Lake) => (await loadTable(lake, name)).metadata.location
const naming = async (lake: Lake, texts = [USER, DEVICE, EMAIL]) => filesNaming(lake, await locationOf(lake), texts)
const totals = async (lake: Lake) => {
  const rows = await allRows(lake, name, small)
  const users = new Set(rows.map((each) => each.user_id ?? each.anonymous_id))
  return {
    rows: rows.length,
    users: users.size,
    amount: rows.reduce((sum, each) => sum + BigInt(each.amount as bigint), 0n),
  }
}
const NOTHING = {
  rows: 0,
  files: 0,
  partitions: [],
  snapshotsExpired: 0,
  refsDropped: [],
  filesRemoved: 0,
  bytesRemoved: 0,
}

test('their rows stay without them, others stay as they are, and no file or snapshot has them any more', async () => {
  const others = [row(1, 'a'), row(2, 'z', { anonymous_id: 'anon-1' }), row(3, null, { anonymous_id: 'anon-2' })]
  const lake = await lakeWith(
    [...others, theirs(4)],
    [theirs(5, { anonymous_id: DEVICE }), row(6, null, { anonymous_id: DEVICE, page: EMAIL })],
    [row(7, 'b', { anonymous_id: DEVICE }), row(9, 'zz')],
    [row(11, 'zz')],
  )
  const untouched = await append(lake, [row(13, 'zz')])
  const before = await totals(lake)
  expect((await naming(lake)).length).toBeGreaterThan(5)

  const map = subject()
  const done = await erase(lake, map)
  // Rows 4 to 7; the files of rows 9, 11 and 13 are of nobody who is forgotten.
  expect(done).toMatchObject({ rows: 4, files: 4, partitions: ['day=1970-01-01', 'day=1970-01-02'], refsDropped: [] })
  expect(done.snapshotsExpired).toBeGreaterThanOrEqual(5)
  expect(done.filesRemoved).toBeGreaterThan(10)
  expect(done.bytesRemoved).toBeGreaterThan(1_000)

  const rows = await allRows(lake, name, small)
  expect(rows.slice(0, 3)).toEqual(others)
  const [user, device] = [map.get(USER), map.get(DEVICE)]
  expect(rows[3]).toEqual(row(4, user!, { page: null, note: 'erased' }))
  expect(rows[4]).toEqual(row(5, user!, { anonymous_id: device!, page: null, note: 'erased' }))
  expect(rows[5]).toEqual(row(6, null, { anonymous_id: device!, page: null, note: 'erased' }))
  // Somebody else's, on the same device.
  expect(rows[6]).toEqual(row(7, 'b', { anonymous_id: device! }))
  expect(await totals(lake)).toEqual(before)

  const { metadata } = await loadTable(lake, name)
  expect(metadata.snapshots.map((each) => String(each['snapshot-id']))).toEqual([done.snapshotId])
  expect(await naming(lake)).toEqual([])
  expect((await planScan(lake, metadata)).files.map(({ file }) => file.path)).toContain(untouched[0]!.path)

  expect(await erase(lake, map)).toEqual({ ...NOTHING, snapshotId: done.snapshotId })
  expect((await loadTable(lake, name)).metadata).toEqual(metadata)
})

test('of whom nothing is there, nothing is changed', async () => {
  const lake = await lakeWith([row(1, 'a')], [row(2, 'b')])
  const { metadata } = await loadTable(lake, name)
  const snapshotId = String(metadata['current-snapshot-id'])
  expect(await erase(lake)).toEqual({ ...NOTHING, snapshotId })
  expect(await erase(lake, new Map())).toEqual({ ...NOTHING, snapshotId })
  expect((await loadTable(lake, name)).metadata).toEqual(metadata)
})

describe('the past', () => {
  test('a person whose rows were deleted is still in older snapshots, in tags, and in the bounds of files that are gone', async () => {
    const lake = await lakeWith([row(2, 'a')], [theirs(4)])
    const { metadata } = await loadTable(lake, name)
    const plan = await planScan(lake, metadata)
    const { file } = plan.files.find((each) => each.snapshotId === metadata['current-snapshot-id'])!
    await replaceFiles(lake, name, { operation: 'delete', removed: [file], added: [], plannedAt: 2 })
    expect(await naming(lake)).not.toEqual([])
    const done = await erase(lake)
    expect(done).toMatchObject({ rows: 0, files: 0, snapshotsExpired: 3 })
    expect(await naming(lake)).toEqual([])
    expect(await allRows(lake, name, small)).toEqual([row(2, 'a')])
    expect(await erase(lake)).toMatchObject(NOTHING)
  })

  test('tags and branches on what is erased go, and are named', async () => {
    const lake = await lakeWith([theirs(2)])
    const { metadata, metadataLocation } = await loadTable(lake, name)
    const id = metadata['current-snapshot-id']!
    const tagged = { ...metadata, refs: { ...metadata.refs, audit: { 'snapshot-id': id, type: 'tag' as const } } }
    const to = metadataLocation.replace(/[^/]*$/, '00009-tagged.metadata.json')
    await lake.files.write(to, Buffer.from(JSON.stringify(tagged)))
    await lake.catalog.swap(name, metadataLocation, to)
    expect(await erase(lake)).toMatchObject({ rows: 1, refsDropped: ['audit'], snapshotsExpired: 1 })
    expect(await naming(lake)).toEqual([])
  })
})

describe('rows that others deleted', () => {
  test('by position stay deleted, and go with their file', async () => {
    const lake = await lakeWith([theirs(2), row(4, 'a'), theirs(6)])
    const { metadata } = await loadTable(lake, name)
    const { file } = (await planScan(lake, metadata)).files[0]!
    const deletes = await positionDeletes(lake, metadata, [{ path: file.path, position: 0 }], { partition: [0] })
    await replaceFiles(lake, name, { operation: 'overwrite', removed: [], added: [deletes], plannedAt: 1 })
    await erase(lake)
    expect((await allRows(lake, name, small)).map((each) => each.id)).toEqual([4n, 6n])
    expect(await naming(lake)).toEqual([])
  })

  test('by equality: the file that names whom it deletes goes as well, though no row has them', async () => {
    const lake = await lakeWith([row(2, 'a'), row(4, 'b')], [theirs(6)])
    const { metadata } = await loadTable(lake, name)
    const deletes = await equalityDeletes(lake, metadata, ['user_id'], [{ user_id: USER }, { user_id: 'b' }], {
      partition: [0],
    })
    await replaceFiles(lake, name, { operation: 'overwrite', removed: [], added: [deletes], plannedAt: 2 })
    expect((await allRows(lake, name, small)).map((each) => each.id)).toEqual([2n])
    await erase(lake)
    expect(await allRows(lake, name, small)).toEqual([row(2, 'a')])
    expect(await naming(lake)).toEqual([])
    const plan = await planScan(lake, (await loadTable(lake, name)).metadata)
    expect(plan.files.flatMap((each) => each.deletes)).toEqual([])
    expect(await erase(lake)).toMatchObject(NOTHING)
  })

  test('by equality, of files that are all younger: nothing is deleted by it, and it goes all the same', async () => {
    const lake = await lakeWith([row(2, 'a')])
    const { metadata } = await loadTable(lake, name)
    const deletes = await equalityDeletes(lake, metadata, ['user_id'], [{ user_id: USER }], { partition: [1] })
    await replaceFiles(lake, name, { operation: 'overwrite', removed: [], added: [deletes], plannedAt: 1 })
    await erase(lake)
    expect(await naming(lake)).toEqual([])
    expect(await allRows(lake, name, small)).toEqual([row(2, 'a')])
  })
})

describe('while others write', () => {
  test('what is appended meanwhile stays; what it says of the person is for the next call', async () => {
    const lake = await lakeWith([theirs(2)], [row(4, 'a')])
    const catalog = lake.catalog as TestCatalog
    catalog.beforeSwap = async () => {
      await append(lake, [theirs(6), row(8, 'b')])
    }
    const map = subject()
    expect(await erase(lake, map)).toMatchObject({ rows: 1, files: 1 })
    const between = await allRows(lake, name, small)
    expect(between.map((each) => each.user_id)).toEqual([map.get(USER), 'a', USER, 'b'])
    expect(await erase(lake, map)).toMatchObject({ rows: 1, files: 1 })
    expect((await allRows(lake, name, small)).map((each) => each.user_id)).toEqual([
      map.get(USER),
      'a',
      map.get(USER),
      'b',
    ])
    expect(await naming(lake)).toEqual([])
  })

  test('a compaction that was faster: what it wrote is looked at again', async () => {
    const lake = await lakeWith([theirs(2)], [row(4, 'a')], [theirs(6)])
    const catalog = lake.catalog as TestCatalog
    catalog.beforeSwap = async () => {
      expect((await compact(lake, name, { ...small, minFiles: 2 })).refused).toEqual([])
    }
    expect(await erase(lake)).toMatchObject({ rows: 2, files: 1 })
    expect(await naming(lake)).toEqual([])
    expect((await totals(lake)).rows).toBe(3)
  })

  test('a compaction that was slower is refused, and brings nobody back', async () => {
    const lake = await lakeWith([theirs(2)], [row(4, 'a')], [theirs(6)])
    const catalog = lake.catalog as TestCatalog
    catalog.beforeSwap = async () => {
      await erase(lake)
    }
    const { refused } = await compact(lake, name, { ...small, minFiles: 2 })
    expect(refused).toHaveLength(1)
    expect(await naming(lake)).toEqual([])
    expect((await totals(lake)).rows).toBe(3)
  })

  test('somebody who sets the table back meanwhile: it is looked at again by the next call', async () => {
    const lake = await lakeWith([theirs(2)], [row(4, 'a')])
    const before = await loadTable(lake, name)
    const first = before.metadata.snapshots[0]!['snapshot-id']
    const catalog = lake.catalog as TestCatalog
    const setBack = async () => {
      const { metadata, metadataLocation } = await loadTable(lake, name)
      const to = metadataLocation.replace(/[^/]*$/, `00099-${randomUUID()}.metadata.json`)
      const main = { 'snapshot-id': first, type: 'branch' as const }
      await lake.files.write(
        to,
        Buffer.from(JSON.stringify({ ...metadata, 'current-snapshot-id': first, refs: { main } })),
      )
      await lake.catalog.swap(name, metadataLocation, to)
    }
    // Behind the rewrite, before the expiry.
    catalog.beforeSwap = async () => {
      catalog.beforeSwap = undefined
      queueMicrotask(() => {
        catalog.beforeSwap = setBack
      })
    }
    await expect(erase(lake)).rejects.toThrow(/set back/)
    await erase(lake)
    expect(await naming(lake)).toEqual([])
    expect(await totals(lake)).toMatchObject({ rows: 1 })
  })
})

test('ids within texts and bytes are found where whole values are searched', async () => {
  const searched: PersonalColumns = { ids: ['user_id'], telling: ['page', 'value'], searched: ['page', 'value'] }
  const short = 'ada'
  const bytes = (text: string) => Buffer.from(text)
  const lake = await lakeWith([
    row(2, short),
    row(4, 'b', { page: 'a page about "ada"' }),
    row(6, 'c', { value: Buffer.concat([Buffer.of(0, 6), bytes('ada'), Buffer.of(0xff)]) }),
    row(8, 'd', { value: bytes('{"user": "person-to-forget"}') }),
    row(10, 'e', { value: bytes('canada'), page: '/canada' }),
    row(12, 'f', { value: bytes('{"n":42}'), page: 'n:421,' }),
  ])
  const map = new Map([short, USER, '42'].map((id, i) => [id, `erased-${i}`]))
  expect(await erasePerson(lake, name, searched, map, small)).toMatchObject({ rows: 5, files: 1 })
  const rows = await allRows(lake, name, small)
  expect(
    rows.map((each) => [each.user_id, each.page, each.value && Buffer.from(each.value as Uint8Array).toString()]),
  ).toEqual([
    ['erased-0', null, null],
    ['b', null, null],
    ['c', null, null],
    ['d', null, null],
    ['e', '/canada', 'canada'],
    ['f', null, null],
  ])
  expect(await erasePerson(lake, name, searched, map, small)).toMatchObject(NOTHING)
})

test('it stops when it is told to, and goes on where it was', async () => {
  const lake = await lakeWith([theirs(2)])
  const controller = new AbortController()
  const said: string[] = []
  const onProgress = (what: string) => {
    said.push(what)
    if (what.includes('rewritten')) controller.abort(new Error('told to stop'))
  }
  await expect(erase(lake, subject(), { signal: controller.signal, onProgress })).rejects.toThrow('told to stop')
  expect((await allRows(lake, name, small))[0]!.page).toBeNull()
  expect(await naming(lake)).not.toEqual([])
  expect(await erase(lake)).toMatchObject({ rows: 0 })
  expect(await naming(lake)).toEqual([])
  expect(said.join()).not.toContain(USER)
  expect(currentSnapshot((await loadTable(lake, name)).metadata)).not.toBeNull()
})

test('killed before any of its calls that change something, the next one goes on, and nothing is lost or left', async () => {
  let [dieAt, isDead] = [0, true]
  for (; isDead; dieAt++) {
    const lake = await lakeWith([theirs(2), row(1, 'a'), row(4, 'b'), theirs(3)])
    const map = subject()
    isDead = await erase(mortal(lake, dieAt), map).then(
      () => false,
      () => true,
    )
    await erase(lake, map)
    expect(await naming(lake), `killed before call ${dieAt}`).toEqual([])
    expect(await totals(lake)).toEqual({ rows: 4, users: 3, amount: 100n })
  }
  expect(dieAt).toBeGreaterThan(10)
})

/** As `kill -9` would, but for the process: from that call on (the first is 0) nothing of it has an effect any more. */
function mortal(lake: Lake, dieAt: number): Lake {
  let calls = 0
  const dying = <T extends object>(target: T, methods: readonly (keyof T)[]): T => {
    const wrapped = { ...target }
    for (const name of methods) {
      const method = target[name] as (...args: unknown[]) => Promise<unknown>
      Object.assign(wrapped, {
        [name]: async (...args: unknown[]) => {
          if (calls++ >= dieAt) throw new Error('dead')
          return method.apply(target, args)
        },
      })
    }
    return wrapped
  }
  return {
    ...lake,
    files: dying(lake.files, ['write', 'writeFile', 'delete']),
    catalog: dying(lake.catalog, ['swap']),
    ids: { ...lake.ids, jitter: () => 0 },
  }
}

test('what can not be rewritten is refused in a sentence', async () => {
  const lake = await lakeIn()
  await createTable(lake, name, { schema, spec: partitionBy(schema, [{ column: 'user_id', transform: 'bucket[4]' }]) })
  await append(lake, [row(1, 'a')])
  await expect(erase(lake)).rejects.toThrow(/"user_id" is one that the table is partitioned by/)
  await expect(erasePerson(lake, name, { ids: ['id'], telling: [] }, subject(), small)).rejects.toThrow(
    /"id" is "long", no text/,
  )
})
