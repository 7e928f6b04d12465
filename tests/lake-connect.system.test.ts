/**
 * What `streamforge lake connect` prints, pasted as it is: PyIceberg connects to a platform that runs, by its database and by REST, makes a table and fills it, and `streamforge sql` and
 * `streamforge lake` tell what it wrote.
 */
import { expect, test } from 'vitest'
import { withPyIceberg } from '../cli/servers/testing/with-pyiceberg.ts'
import { newDataDir, runCli, startPlatform } from './support/platform.ts'

const { python } = withPyIceberg()
const PASSWORD = 'a password with "quotes"'

/** The block of the text under a title. */
function pasted(text: string, title: string): string {
  const lines = text.split('\n')
  const from = lines.findIndex((line) => line.startsWith(title))
  expect(from, `a section "${title}"`).toBeGreaterThanOrEqual(0)
  const block: string[] = []
  for (const line of lines.slice(from + 2)) {
    if (line !== '' && !line.startsWith('    ')) break
    block.push(line.slice(4))
  }
  return block.join('\n')
}

test('PyIceberg works with the settings as they are pasted, and its rows can be asked for', async () => {
  const dataDir = await newDataDir()
  const platform = await startPlatform({ dataDir, env: { STREAMFORGE_ADMIN_PASSWORD: PASSWORD } })
  const cli = async (...args: string[]) => {
    const { code, out, err } = await runCli([...args, '--data', dataDir])
    expect(code, err).toBe(0)
    return out
  }
  const told = await cli('lake', 'connect')
  expect(told).toContain(`rest_uri      ${platform.url}/iceberg\n`)

  const written = await python<{ namespaces: string[]; rows: number }>(`
${pasted(told, 'PyIceberg: ')}
import pyarrow as pa
catalog.create_namespace_if_not_exists('pasted')
rows = pa.table({'id': pa.array([1, 2, 3], pa.int64()), 'city': pa.array(['Köln', None, '東京'])})
table = catalog.create_table('pasted.cities', schema=rows.schema)
table.append(rows)
answer({'namespaces': sorted('.'.join(n) for n in catalog.list_namespaces()), 'rows': len(table.scan().to_arrow())})`)
  expect(written.rows).toBe(3)
  expect(written.namespaces).toContain('pasted')

  const asked = await cli('sql', 'SELECT id, city FROM pasted.cities ORDER BY id', '--format', 'json')
  expect(JSON.parse(asked)).toEqual([
    { id: 1, city: 'Köln' },
    { id: 2, city: null },
    { id: 3, city: '東京' },
  ])
  const [snapshot] = JSON.parse(await cli('lake', 'snapshots', 'pasted.cities', '--json')) as { snapshot_id: string }[]
  expect(
    await cli('sql', 'SELECT count(*) AS n FROM cities', '--snapshot', snapshot!.snapshot_id, '--format', 'csv'),
  ).toBe('n\n3\n')

  const byRest = pasted(told, 'PyIceberg by REST').replace('admin:PASSWORD', `admin:${PASSWORD.replaceAll('"', '\\"')}`)
  expect(
    await python(`
${byRest}
table = catalog.load_table('pasted.cities')
answer(sorted(row['id'] for row in table.scan(row_filter="city is not null").to_arrow().to_pylist()))`),
  ).toEqual([1, 3])
  expect(await platform.stop()).toBe(0)
})
