import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { loadConfig } from './config.ts'
import { loadSecrets, type Secrets } from './secrets.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'streamforge-secrets-'))
})
afterEach(() => rm(folder, { recursive: true }))

const revealed = (secrets: Secrets) => Object.fromEntries(Object.entries(secrets).map(([k, v]) => [k, v.reveal()]))
const modeOf = async (path: string) => (await stat(path)).mode & 0o777

describe('loadSecrets', () => {
  it('makes secrets once and gives the same at every start, in a file of its owner alone', async () => {
    const data = join(folder, 'data')
    const first = await loadSecrets(data, loadConfig({}))
    expect(first.writeKey.reveal()).toMatch(/^wk_[\w-]{32}$/)
    expect(new Set(Object.values(revealed(first))).size).toBe(4)
    expect(revealed(await loadSecrets(data, loadConfig({})))).toEqual(revealed(first))
    expect(await readdir(data)).toEqual(['secrets.json'])
    if (process.platform !== 'win32') expect(await modeOf(join(data, 'secrets.json'))).toBe(0o600)
  })

  it('takes what the environment gives, and does not keep that', async () => {
    const given = { STREAMFORGE_WRITE_KEY: 'from-the-environment', STREAMFORGE_JWT_SECRET: 'j'.repeat(32) }
    const secrets = await loadSecrets(folder, loadConfig(given))
    expect(revealed(secrets)).toMatchObject({ writeKey: 'from-the-environment', jwtSecret: 'j'.repeat(32) })
    const file = await readFile(join(folder, 'secrets.json'), 'utf8')
    expect(Object.keys(JSON.parse(file))).toEqual(['databasePassword', 'redisPassword'])
    const later = await loadSecrets(folder, loadConfig({}))
    expect(later.writeKey.reveal()).toMatch(/^wk_/)
    expect(later.databasePassword.reveal()).toBe(secrets.databasePassword.reveal())
  })

  it('closes a file that others could read', async () => {
    await loadSecrets(folder, loadConfig({}))
    await chmod(join(folder, 'secrets.json'), 0o644)
    await loadSecrets(folder, loadConfig({}))
    if (process.platform !== 'win32') expect(await modeOf(join(folder, 'secrets.json'))).toBe(0o600)
  })

  it.each(['{', '[]', '{"jwtSecret":7}'])('says what to do when the file is damaged: %s', async (text) => {
    await writeFile(join(folder, 'secrets.json'), text)
    await expect(loadSecrets(folder, loadConfig({}))).rejects.toThrow(/damaged.*Restore it from a backup, or remove it/)
  })
})
