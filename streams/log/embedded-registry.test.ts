/** The embedded registry on real folders: one id per schema, versions per subject, several threads and processes at once. */
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Schema } from 'avsc'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { UnknownSchema } from '../contract/codec.ts'
import { IncompatibleSchema, InvalidSchema } from '../contract/schema-registry.ts'
import { type EmbeddedRegistry, openEmbeddedRegistry } from './embedded-registry.ts'

const record = (name: string, ...fields: string[]): Schema =>
  ({ type: 'record', name, fields: fields.map((field) => ({ name: field, type: 'string', default: '' })) }) as Schema
/** One that later versions can't do without. */
const required = (name: string, ...fields: string[]): Schema =>
  ({ type: 'record', name, fields: fields.map((field) => ({ name: field, type: 'string' })) }) as Schema

describe('the embedded registry', () => {
  let folder: string
  let registry: EmbeddedRegistry
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'registry-'))
    registry = openEmbeddedRegistry(join(folder, 'registry'))
  })
  afterEach(async () => {
    await registry.close()
    rmSync(folder, { recursive: true, force: true })
  })

  it('gives ids 1, 2, … and the same schema the same id, under any subject', async () => {
    expect(await registry.register('a-value', record('A', 'x'))).toBe(1)
    expect(await registry.register('a-value', record('A', 'x', 'y'))).toBe(2)
    expect(await registry.register('a-value', record('A', 'x'))).toBe(1)
    expect(await registry.register('b-value', record('A', 'x'))).toBe(1)
    expect(await registry.register('c-value', record('B', 'x'))).toBe(3)
    expect(await registry.schema(2)).toEqual(record('A', 'x', 'y'))
  })

  it('takes schemas that differ in the order of members only for the same one', async () => {
    await registry.setLevel('s', 'NONE')
    const id = await registry.register('s', { type: 'enum', name: 'E', symbols: ['P', 'Q'] })
    expect(await registry.register('s', { symbols: ['P', 'Q'], name: 'E', type: 'enum' })).toBe(id)
    expect(await registry.register('s', { symbols: ['Q', 'P'], name: 'E', type: 'enum' })).not.toBe(id)
  })

  it('keeps the versions of each subject', async () => {
    await registry.register('a-value', record('A', 'x'))
    await registry.register('b-value', record('B', 'x'))
    await registry.register('a-value', record('A', 'x', 'y'))
    await registry.register('a-value', record('A', 'x'))
    expect(registry.subjects()).toEqual(['a-value', 'b-value'])
    expect(registry.versions('a-value')).toEqual([1, 2])
    expect(registry.versions('nobody')).toEqual([])
    expect(registry.version('a-value', 'latest')).toEqual({
      subject: 'a-value',
      version: 2,
      id: 3,
      schema: JSON.stringify(record('A', 'x', 'y')),
    })
    expect(registry.version('a-value', 3)).toBeNull()
    expect(registry.lookup('a-value', record('A', 'x'))).toMatchObject({ version: 1, id: 1 })
    expect(registry.lookup('b-value', record('A', 'x'))).toBeNull()
    expect(registry.usages(1)).toEqual([{ subject: 'a-value', version: 1 }])
  })

  it('says when an id is unknown, and sees it as soon as another has registered it', async () => {
    await expect(registry.schema(1)).rejects.toBeInstanceOf(UnknownSchema)
    const other = openEmbeddedRegistry(join(folder, 'registry'))
    const id = await other.register('a', record('A', 'x'))
    expect(await registry.schema(id)).toEqual(record('A', 'x'))
    await other.close()
  })

  it('has everything after it was closed and opened again', async () => {
    const id = await registry.register('a', record('A', 'x'))
    await registry.close()
    registry = openEmbeddedRegistry(join(folder, 'registry'))
    expect(await registry.schema(id)).toEqual(record('A', 'x'))
    expect(await registry.register('a', record('A', 'y'))).toBe(id + 1)
  })

  it('refuses a schema that can not read what the newest version wrote, and says which field it is', async () => {
    await registry.register('s', required('A', 'x'))
    const next = registry.register('s', required('A', 'x', 'y'))
    await expect(next).rejects.toBeInstanceOf(IncompatibleSchema)
    await expect(next).rejects.toThrow(
      'The schema can\'t be registered under "s", which is to stay BACKWARD compatible: ' +
        'field "y" has no default in the new schema, and version 1 does not have it.',
    )
    expect(registry.versions('s')).toEqual([1])
    // Nothing of the refused one was kept: its id goes to the next.
    expect(await registry.register('s', record('A', 'x', 'y'))).toBe(2)
  })

  it('takes what a subject had before, though it is not compatible with what came since', async () => {
    const first = await registry.register('s', required('A', 'x', 'y'))
    await registry.register('s', required('A', 'x'))
    expect(await registry.register('s', required('A', 'x', 'y'))).toBe(first)
  })

  it("goes by the subject's level, else by the one for all, and keeps both", async () => {
    expect([registry.level(null), registry.level('s')]).toEqual(['BACKWARD', null])
    await registry.setLevel('s', 'NONE')
    await registry.setLevel(null, 'FULL')
    await registry.close()
    registry = openEmbeddedRegistry(join(folder, 'registry'))
    expect([registry.level(null), registry.level('s'), registry.level('t')]).toEqual(['FULL', 'NONE', null])
    for (const subject of ['s', 't']) await registry.register(subject, required('A', 'x'))
    await registry.register('s', required('B', 'y'))
    await expect(registry.register('t', required('A'))).rejects.toThrow('stay FULL compatible: field "x"')
    expect(registry.subjects()).toEqual(['s', 't'])
  })

  it('refuses what is no schema', async () => {
    const wrong = { type: 'recrod' } as unknown as Schema // as a client may send it
    await expect(registry.register('s', wrong)).rejects.toBeInstanceOf(InvalidSchema)
    expect(registry.subjects()).toEqual([])
  })

  it('refuses a subject it could not keep', async () => {
    await expect(registry.register('', record('A'))).rejects.toThrow('1 to 1000 bytes')
    await expect(registry.register('s'.repeat(1001), record('A'))).rejects.toThrow('1 to 1000 bytes')
  })

  it('agrees on ids with other processes that register at the same time', async () => {
    const script = `
      const [modulePath, folder, seed] = process.argv.slice(2)
      const { openEmbeddedRegistry } = await import(modulePath)
      const registry = openEmbeddedRegistry(folder)
      const ids = {}
      await registry.setLevel('s', 'NONE')
      for (let i = 0; i < 40; i++) {
        const n = (i * 7 + Number(seed) * 13) % 40
        ids[n] = await registry.register('s', { type: 'fixed', name: 'F' + n, size: 4 })
      }
      await registry.close()
      console.log(JSON.stringify(ids))`
    const file = join(folder, 'register.mjs')
    writeFileSync(file, script)
    const loader = new URL('../../cli/typescript.mjs', import.meta.url).href
    const module = new URL('./embedded-registry.ts', import.meta.url).href
    const answers = await Promise.all(
      ['1', '2', '3'].map((seed) => output(['--import', loader, file, module, join(folder, 'registry'), seed])),
    )
    const [first, ...others] = answers.map((text) => JSON.parse(text) as Record<string, number>)
    for (const other of others) expect(other).toEqual(first)
    expect(Object.values(first ?? {}).sort((a, b) => a - b)).toEqual(Array.from({ length: 40 }, (_, i) => i + 1))
    expect(registry.versions('s')).toHaveLength(40)
  })
})

function output(args: string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] })
    let text = ''
    let errors = ''
    child.stdout.on('data', (chunk: Buffer) => {
      text += chunk.toString()
    })
    child.stderr.on('data', (chunk: Buffer) => {
      errors += chunk.toString()
    })
    child.on('close', (code) => (code === 0 ? resolve(text) : reject(new Error(errors))))
  })
}
