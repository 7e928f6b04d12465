import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { createProcessRegistry } from './process-metrics.ts'

const disk = async (dataDir: string): Promise<string[]> => {
  const text = await createProcessRegistry({ component: 'edge', version: '1.2.3', dataDir }).metrics()
  return text.split('\n').filter((line) => line.startsWith('streamforge_data_disk'))
}

it('tells size and room of the disk with the very first page, and nothing of a folder that is not there', async () => {
  const [size, free, ...others] = (await disk(tmpdir())).map((line) => Number(line.split(' ')[1]))
  expect(others).toEqual([])
  expect(free).toBeGreaterThan(0)
  expect(size).toBeGreaterThanOrEqual(free!)
  expect(await disk(join(tmpdir(), 'streamforge-test-is-not-there'))).toEqual([])
})
