/**
 * The API against its own document, by a program that knows nothing else of it: requests that are valid and such that are not, all checks, for every operation.
 *
 * Few examples of each with one seed, to be quick. By hand, for longer and with another seed: `SCHEMATHESIS="-n 200 --seed 4" npx vitest run --project system edge/schemathesis`.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { withSchemathesis } from '../cli/servers/testing/with-schemathesis.ts'
import { openEmbeddedFeatures } from '../db/features/embedded.ts'
import type { FeatureStore } from '../db/features/feature-store.ts'
import { createResultStore } from '../db/postgres/result-store.ts'
import { Secret } from '../db/secret.ts'
import { withPostgres } from '../db/testing/postgres.ts'
import { SAMPLE_ROWS } from '../db/testing/result-rows.ts'
import { createLogger } from '../observability/log.ts'
import { type EmbeddedLog, openEmbeddedLog } from '../streams/log/embedded.ts'
import { type EmbeddedRegistry, openEmbeddedRegistry } from '../streams/log/embedded-registry.ts'
import { systemClock } from '../streams/time/clock.ts'
import { createTokens } from './auth/tokens.ts'
import { type Edge, startEdge } from './main.ts'

const JWT_SECRET = 'a secret of at least thirty-two bytes'
const WRITE_KEY = 'wk_test'
const CONFIG = join(import.meta.dirname, 'testing', 'schemathesis.toml')
/** The catalog has a specification and clients of its own, which try it; the live stream does not end. */
const LEFT_OUT = '^/(iceberg/|live$)'

const postgres = withPostgres()
const schemathesis = withSchemathesis()
let folder: string
let log: EmbeddedLog
let registry: EmbeddedRegistry
let features: FeatureStore
let edge: Edge

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'streamforge-schemathesis-edge-'))
  log = await openEmbeddedLog({ folder: join(folder, 'log') })
  registry = openEmbeddedRegistry(join(folder, 'registry'))
  features = await openEmbeddedFeatures(join(folder, 'features'))
  const { sql } = await postgres.database({ max: 8 })
  const rows = Object.fromEntries(Object.entries(SAMPLE_ROWS).map(([table, row]) => [table, [row]]))
  await createResultStore(sql).apply({ rows, outbox: [], progress: [] })
  edge = await startEdge({
    config: { host: '127.0.0.1', port: 0, currency: 'TRY', corsOrigins: [], adminPassword: null },
    secrets: { writeKey: new Secret(WRITE_KEY), jwtSecret: new Secret(JWT_SECRET) },
    version: '1.2.3',
    logger: createLogger({ level: 'silent', component: 'edge' }),
    log,
    registry,
    schemas: registry,
    features,
    sql,
  })
})
afterAll(async () => {
  await edge.close()
  await Promise.all([log.close(), registry.close(), features.close()])
  await rm(folder, { recursive: true, force: true })
})

it.each(['admin', 'nobody'] as const)(
  'does what its document says, asked by %s',
  async (who) => {
    const token = await createTokens(JWT_SECRET, systemClock).issue({ username: 'ada', role: 'admin' })
    const given = who === 'admin' ? { EDGE_TOKEN: token, EDGE_WRITE_KEY: WRITE_KEY } : {}
    const found = await schemathesis.run(
      [
        ...['--config-file', CONFIG, 'run', `${edge.url}/openapi.json`, '--exclude-path-regex', LEFT_OUT],
        ...['--checks', 'all', '--continue-on-failure', '--workers', '1', '--request-timeout', '60'],
        ...['--no-shrink', '--suppress-health-check', 'all', '--generation-database', 'none', '--no-color'],
        ...(process.env.SCHEMATHESIS ?? '-n 3 --seed 17').split(' '),
      ],
      { env: { EDGE_TOKEN: '', EDGE_WRITE_KEY: '', ...given }, timeoutMs: 3_600_000 },
    )
    const failures = found.stdout.slice(Math.max(0, found.stdout.search(/=+ (ERRORS|FAILURES) =+/)))
    expect(found.code, failures + found.stderr).toBe(0)
  },
  3_600_000,
)
