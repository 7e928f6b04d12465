/**
 * The image: its Dockerfile is clean in the eyes of hadolint, and its steps, done without an engine, give a root folder from which every role runs as somebody without rights, on a read-only
 * root folder, with development's packages absent; the health check knows how it is, and SIGTERM to process 1 ends it in order.
 */
import { chown, mkdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { freePorts } from '../cli/servers/process.ts'
import { run } from '../cli/servers/run.ts'
import { makeTestFolder, onceOrSkip } from '../cli/servers/testing/once-or-skip.ts'
import { withPythonEnvironment } from '../cli/servers/testing/python-environment.ts'
import { loadConfig } from '../db/config.ts'
import { withPostgres } from '../db/testing/postgres.ts'
import { withTemporal } from '../workflows/testing/with-temporal.ts'
import { eventually } from './support/eventually.ts'
import { buildImage, type Container, type Image, startContainer } from './support/image.ts'
import { ROOT } from './support/processes.ts'

describe('the Dockerfile', () => {
  const python = withPythonEnvironment({ kind: 'hadolint', name: 'hadolint', timeoutMs: 120_000 })

  test('has nothing that hadolint would warn of', async () => {
    const hadolint = join(python(), '..', 'hadolint')
    for (const file of ['Dockerfile', 'deploy/compose/superset/Dockerfile'])
      expect(await run(hadolint, ['--failure-threshold', 'style', join(ROOT, file)])).toEqual({
        code: 0,
        stdout: '',
        stderr: '',
      })
    // It does warn.
    const bad = await run(hadolint, ['-'], { input: 'FROM node:latest\nRUN cd /app && sudo npm i\n' })
    expect(bad.code).toBe(1)
  })
})

describe('the image', () => {
  const postgres = withPostgres()
  const temporal = withTemporal()
  const containers: Container[] = []
  let folder = ''
  let image: Image

  onceOrSkip(async () => {
    folder = await makeTestFolder({ kind: 'image', name: 'the image', folder: 'root' })
    image = await buildImage(folder, loadConfig(process.env).serversDir)
  }, 900_000)
  afterAll(async () => {
    for (const container of containers) container.kill()
    if (folder) await rm(folder, { recursive: true, force: true })
  })

  test('has what runs and nothing else', async () => {
    const has = (path: string) =>
      stat(join(image.root, 'app', path)).then(
        () => true,
        () => false,
      )
    const paths = [
      'cli/streamforge.mjs',
      'node_modules/hono',
      'node_modules/vitest',
      'node_modules/typescript',
      'streams/testing',
      'bench',
      'tests',
      '.git',
      '.env',
    ]
    expect(await Promise.all(paths.map(has))).toEqual([true, true, false, false, false, false, false, false, false])
    const { stdout } = await run('du', ['-sm', join(image.root, 'app')])
    const megabytes = Number(stdout.split('\t')[0])
    expect(megabytes, 'MB of /app').toBeLessThan(300)
  })

  test('runs every role as somebody else on a read-only root folder, says how it is, and ends in order by SIGTERM to process 1', {
    timeout: 300_000,
  }, async () => {
    const roles = ['edge', 'streams', 'lake-writer', 'worker', 'cdc'] as const
    const ports = await freePorts(roles.length)
    const started: { role: string; container: Container }[] = []
    for (const [i, role] of roles.entries()) {
      const volume = join(folder, role)
      await mkdir(volume)
      await chown(volume, 1000, 1000)
      const { url } = await postgres.database()
      const env: Record<string, string> = {
        // The embedded log is for processes that see each other: here each has a platform of its own.
        DATABASE_URL: url,
        // Any table that has a primary key.
        CDC_SOURCE_URL: url,
        STREAMFORGE_CDC_TABLES: 'public.users',
        // Containers have a network each; here they share one.
        STREAMFORGE_HOST: '127.0.0.1',
        STREAMFORGE_PORT: String(role === 'edge' ? ports[i] : 1),
        STREAMFORGE_METRICS_PORT: String(role === 'edge' ? 1 : ports[i]),
        TEMPORAL_ADDRESS: temporal.server.address,
      }
      const container = startContainer(image, role === 'cdc' ? ['cdc', 'start'] : [role], { env, volume })
      containers.push(container)
      started.push({ role, container })
    }
    for (const { role, container } of started) {
      await eventually(
        `${role} is well; it says:\n${container.output()}`,
        120_000,
        async () => (await container.health()) === 0,
        500,
      )
    }
    for (const { role, container } of started.reverse()) {
      expect(await container.stop(), `${role}:\n${container.output()}`).toBe(0)
      expect(container.output()).not.toMatch(/EROFS|EACCES|"level":"(error|fatal)"/)
    }
    const { container: streams } = started.find(({ role }) => role === 'streams')!
    expect(streams.output()).toContain('The streams have stopped')
    expect(await streams.health(), 'the health check of one that does not listen').toBe(1)
  })
})
