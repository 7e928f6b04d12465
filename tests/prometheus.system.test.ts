/**
 * The platform as Prometheus sees it, all of it real: `streamforge up` with a worker is scraped, every promised metric is there, every query of every dashboard and rule has an answer, and where
 * something is broken alerts go by Alertmanager to whoever is to be told, within a minute.
 *
 * The rules are those of the repository, but for their patience: they fire at once, and lag of three seconds is enough.
 */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { parse, stringify } from 'yaml'
import { findPlatform } from '../cli/platform.ts'
import { findProcesses } from '../cli/processes.ts'
import { temporalProgram } from '../cli/servers/temporal.ts'
import { type TestPrometheus, withPrometheus } from '../cli/servers/testing/with-prometheus.ts'
import { loadConfig } from '../db/config.ts'
import { connect, type Database } from '../db/postgres/connect.ts'
import { DASHBOARDS } from '../observability/grafana/dashboards.ts'
import { COMPONENTS, type Component, LABELS, type Label, METRICS } from '../observability/metrics-contract.ts'
import { ALERTMANAGER, type AlertRule, alertRules, PROMETHEUS, recordingRules } from '../observability/testing/rules.ts'
import { ORDERS, TOPICS } from '../streams/contract/topics.ts'
import { openEmbeddedLog } from '../streams/log/embedded.ts'
import { systemClock } from '../streams/time/clock.ts'
import { connectTemporal } from '../workflows/client.ts'
import { post } from './support/api.ts'
import { eventually } from './support/eventually.ts'
import { newDataDir, startPlatform, type TestPlatform } from './support/platform.ts'

const SOON_MS = 120_000
const RUNBOOKS = 'https://runbooks.example/streamforge'
withPrometheus(begin, 1_500_000)
const undo: (() => unknown)[] = []
afterAll(async () => {
  for (const step of undo.splice(0).reverse()) await step()
})

interface World {
  platform: TestPlatform
  worker: { url: string; pid: number }
  database: Database
  /** Of Prometheus. */
  api: string
  /** What Alertmanager has posted so far. */
  received: Notice[]
}
interface Notice {
  receiver: string
  alert: string
  labels: Record<string, string>
  annotations: Record<string, string>
}
let world: World

/** All of it starts: platform, worker, Prometheus, Alertmanager, and somebody who is told. */
async function begin(servers: TestPrometheus): Promise<void> {
  await temporalProgram(loadConfig(process.env))
  const env = { STREAMFORGE_WORKFLOWS: 'on', STREAMFORGE_LAKE_COMMIT_SECONDS: '2' }
  const platform = await startPlatform({ dataDir: await newDataDir(), args: ['--rate', '100'], env })
  const { received, url } = await startWebhook()
  const worker = await eventually('a worker is there and reaches Temporal', SOON_MS, async () => {
    const found = (await findProcesses(platform.dataDir)).find(({ role }) => role === 'worker')
    if (!found?.url) return
    const { pid, url } = found
    return (await metricsOf(url).catch(() => '')).includes('\nstreamforge_worker_temporal_up{component="worker"} 1\n')
      ? { pid, url }
      : undefined
  })
  const running = await findPlatform(platform.dataDir)
  const database = connect(running!.postgres_url!, { max: 3, name: 'test', idleInTransactionTimeoutMs: 0 })
  undo.push(() => database.close())
  const alertmanager = await servers.start('alertmanager', await alertmanagerConfig(url))
  const prometheus = await servers.start(
    'prometheus',
    await prometheusConfig({
      alertmanager: alertmanager.url,
      targets: { 'streamforge-edge': platform.url, 'streamforge-worker': worker.url },
    }),
  )
  world = { platform, worker, database, api: prometheus.url, received }
}

it('does some work of every kind', { timeout: 300_000 }, async () => {
  const { platform } = world
  const { temporal_address: address = '', temporal_task_queue: taskQueue = '' } = (await findPlatform(
    platform.dataDir,
  ))!
  const client = await connectTemporal({ address, namespace: 'default' })
  undo.push(() => client.close())
  await eventually('the lake has rows', SOON_MS, async () =>
    /^streamforge_lake_rows_total\{table="raw.orders",component="lake-writer"\} [1-9]/m.test(
      await metricsOf(platform.url),
    ),
  )
  await client.workflow.execute('compactTable', { taskQueue, workflowId: 'work', args: [{ table: 'raw.orders' }] })
  await client.workflow.execute('compactTable', { taskQueue, workflowId: 'more-work', args: [{ table: 'raw.orders' }] })
  for (const user of ['ada', 'ben'])
    for (const [i, amount] of [6_000, 6_001, 6_002].entries())
      await post(platform, '/orders', { order_id: `${user}-${i}`, user_id: user, amount, currency: 'TRY' })
  await post(platform, '/orders', [{ order_id: 'bad' }])
  await fetch(`${platform.url}/api/v1/features/ada`)
  await eventually('what is not there yet is: an alert was published, a checkpoint written', SOON_MS, async () => {
    const text = await metricsOf(platform.url)
    return (
      /^streamforge_streams_announced_total\{topic="alerts.fraud"/m.test(text) &&
      /^streamforge_streams_checkpoint_bytes_total\S* [1-9]/m.test(text)
    )
  })
})

/** The source of changes runs where a database is followed, which is not here. */
const HERE = COMPONENTS.filter((component) => component !== 'cdc')

it.each(HERE)('%s serves each metric that is promised, with HELP, TYPE and its labels', async (component) => {
  const text = await metricsOf(component === 'worker' ? world.worker.url : world.platform.url)
  // Of the process, as which the embedded platform's edge counts.
  const isOwn = component === 'edge' || component === 'worker'
  for (const [name, { type, labels, components, only }] of Object.entries(METRICS)) {
    if (!components.includes(component) || (components === COMPONENTS && !isOwn)) continue
    if (only !== undefined && only !== 'after trouble') continue
    expect(text, name).toMatch(new RegExp(`^# HELP ${name} \\S.+$`, 'm'))
    expect(text, name).toMatch(new RegExp(`^# TYPE ${name} ${type}$`, 'm'))
    const samples = samplesOf(text, type === 'histogram' ? `${name}_count` : name, component)
    if (only === undefined) expect(samples.length, name).toBeGreaterThan(0)
    for (const sample of samples) expect(Object.keys(sample).sort(), name).toEqual(['component', ...labels].sort())
    for (const label of labels) {
      const values = new Set(samples.map((sample) => sample[label]))
      expect(values.size, `${name} ${label}`).toBeLessThanOrEqual(LABELS[label].max)
    }
  }
})

it('every rule and every panel has an answer, and what is not rare has one that is not empty', {
  timeout: 300_000,
}, async () => {
  for (const { expr } of [...(await recordingRules()), ...(await alertRules())]) await ask(expr)
  const panels = DASHBOARDS.flatMap(({ title, rows }) =>
    rows.flatMap(({ panels }) => panels.map((panel) => ({ ...panel, title: `${title}: ${panel.title}` }))),
  )
  const reader = await readerOf(world.database)
  for (const { title, queries, isRare = false } of panels) {
    for (const query of queries) {
      const answers = async (): Promise<number> =>
        'sql' in query ? (await reader.sql.unsafe(forAnHour(query.sql))).length : (await ask(query.promql)).length
      // A rate needs two looks, what is recorded another.
      if (isRare) await answers()
      else
        await eventually(
          `${title} shows something: ${JSON.stringify(query)}`,
          SOON_MS,
          async () => (await answers()) > 0,
          500,
        )
    }
  }
  // Not what is not of results.
  for (const hidden of [
    'SELECT * FROM users',
    'SELECT user_id FROM sessions',
    'SELECT evidence FROM fraud_alerts',
    'DELETE FROM traffic_by_minute',
  ])
    await expect(reader.sql.unsafe(hidden), hidden).rejects.toThrow(/permission denied|read-only/)
})

it('records that nobody can read are told of', { timeout: SOON_MS }, async () => {
  const log = await openEmbeddedLog({ folder: join(world.platform.dataDir, 'log'), topics: TOPICS, clock: systemClock })
  await log.append([{ topic: ORDERS, key: 'ada', value: Buffer.from('no order') }])
  await log.close()
  const { receiver, labels, annotations } = await told('StreamForgeDeadLetters')
  expect([receiver, labels.topic, labels.severity]).toEqual(['ticket', ORDERS, 'warning'])
  expect(annotations.description).toMatch(/^About \S+ records of transactions.orders .* dlq\.transactions\.orders\./)
  expect(annotations.runbook_url).toBe(`${RUNBOOKS}#streamforgedeadletters`)
  expect([labels.platform, labels.runbooks]).toEqual(['streamforge', undefined])
})

it('a process that is gone is told of', { timeout: SOON_MS }, async () => {
  process.kill(world.worker.pid, 'SIGKILL')
  // A busy machine may answer another one's scrape too late, which is told as well.
  const { receiver, annotations } = await told('StreamForgeDown', 'streamforge-worker')
  expect(receiver).toBe('page')
  expect(annotations.description).toContain(new URL(world.worker.url).host)
})

it('a database that answers nobody is told of: streams that stand still, and requests that fail', {
  timeout: 2 * SOON_MS,
}, async () => {
  const { platform, database } = world
  // All of them wait for one statement, and for no longer than a statement may take.
  const failing = async (requests: number): Promise<void> => {
    const read = () => fetch(`${platform.url}/api/v1/health/pipelines`)
    const answers = await Promise.all(Array.from({ length: requests }, read))
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([503]))
  }
  await database.sql.begin(async (tx) => {
    await tx`LOCK TABLE tasks IN ACCESS EXCLUSIVE MODE`
    const lag = told('StreamForgeStreamsLag')
    // The first makes the count appear, the others let it grow: a rate knows nothing of what was not there before.
    await failing(1)
    await failing(400)
    const { receiver, labels, annotations } = await lag
    expect([receiver, labels.job]).toEqual(['page', 'streamforge-edge'])
    expect(annotations.summary).toMatch(/^The streams are \S+ behind$/)
  })
  const errors = await told('StreamForgeHighErrorRate')
  expect(errors.annotations.summary).toMatch(/^[\d.]+% of HTTP requests fail$/)
})

const metricsOf = async (url: string): Promise<string> => (await fetch(`${url}/metrics`)).text()

/** Labels of each. */
function samplesOf(text: string, name: string, component: Component): Partial<Record<Label, string>>[] {
  return [...text.matchAll(new RegExp(`^${name}\\{(.*)\\} \\S+$`, 'gm'))]
    .map(([, labels = '']) =>
      Object.fromEntries([...labels.matchAll(/(\w+)="([^"]*)"/g)].map(([, key, value]) => [key, value])),
    )
    .filter((labels) => labels.component === component)
}

/** @throws Error where Prometheus does not take the expression */
async function ask(expr: string): Promise<unknown[]> {
  const response = await fetch(`${world.api}/api/v1/query`, {
    method: 'POST',
    body: new URLSearchParams({ query: expr }),
  })
  const { status, error, data } = (await response.json()) as {
    status: string
    error?: string
    data?: { result: unknown[] }
  }
  expect([status, error], expr).toEqual(['success', undefined])
  return data!.result
}

const told = (alert: string, job?: string): Promise<Notice> =>
  eventually(`${alert} is told`, SOON_MS, () =>
    world.received.find((notice) => notice.alert === alert && (job === undefined || notice.labels.job === job)),
  )

/** Takes what Alertmanager posts, as any receiver would. */
async function startWebhook(): Promise<{ url: string; received: Notice[] }> {
  const received: Notice[] = []
  const server = createServer(async (request, response) => {
    let body = ''
    for await (const chunk of request) body += chunk
    const { receiver, alerts } = JSON.parse(body) as {
      receiver: string
      alerts: { labels: Record<string, string>; annotations: Record<string, string> }[]
    }
    for (const { labels, annotations } of alerts)
      received.push({ receiver, alert: labels.alertname ?? '', labels, annotations })
    response.end()
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  undo.push(() => server.close())
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, received }
}

/** Ours, with its routes and inhibitions; who is told is the test, at once. */
async function alertmanagerConfig(webhook: string): Promise<string> {
  const config = parse(await readFile(ALERTMANAGER, 'utf8')) as {
    route: { routes: Record<string, unknown>[] }
    receivers: { name: string }[]
  }
  const at_once = { group_wait: '0s', group_interval: '1s' }
  return stringify({
    ...config,
    route: { ...config.route, ...at_once, routes: config.route.routes.map((route) => ({ ...route, ...at_once })) },
    receivers: config.receivers.map(({ name }) => ({
      name,
      webhook_configs: [{ url: webhook, send_resolved: false }],
    })),
  })
}

/** Ours, with other addresses and shorter waits. */
async function prometheusConfig({
  alertmanager,
  targets,
}: {
  alertmanager: string
  targets: Record<string, string>
}): Promise<string> {
  const config = parse(await readFile(new URL('prometheus.yml', PROMETHEUS), 'utf8')) as {
    global: { external_labels: Record<string, string> }
    alerting: object
  }
  const rules = await mkdtemp(join(tmpdir(), 'streamforge-rules-'))
  undo.push(() => rm(rules, { recursive: true, force: true }))
  const groups = [
    { name: 'recording', rules: await recordingRules() },
    { name: 'alerts', rules: (await alertRules()).map(impatient) },
  ]
  await writeFile(join(rules, 'rules.yml'), stringify({ groups }))
  return stringify({
    ...config,
    global: {
      ...config.global,
      scrape_interval: '1s',
      scrape_timeout: '1s',
      evaluation_interval: '1s',
      external_labels: { ...config.global.external_labels, runbooks: RUNBOOKS },
    },
    rule_files: [join(rules, '*.yml')],
    alerting: { ...config.alerting, alertmanagers: [{ static_configs: [{ targets: [new URL(alertmanager).host] }] }] },
    scrape_configs: Object.entries(targets).map(([job_name, url]) => ({
      job_name,
      static_configs: [{ targets: [new URL(url).host] }],
    })),
  })
}

function impatient({ for: _, ...rule }: AlertRule): Omit<AlertRule, 'for'> {
  return { ...rule, expr: rule.expr.replace('flush_age_seconds:max > 60', 'flush_age_seconds:max > 3') }
}

/** Grafana's role, made by the file that is meant for it, and its connection. */
async function readerOf({ sql }: Database): Promise<Database> {
  const password = crypto.randomUUID()
  const script = await readFile(new URL('../grafana/reader.sql', PROMETHEUS), 'utf8')
  await expect(sql.unsafe(script).simple()).rejects.toThrow('Set streamforge.reader_password first')
  await sql.begin(async (tx) => {
    await tx`SELECT set_config('streamforge.reader_password', ${password}, true)`
    await tx.unsafe(script).simple()
  })
  const url = new URL((await findPlatform(world.platform.dataDir))!.postgres_url!)
  Object.assign(url, { username: 'streamforge_reader', password })
  const reader = connect(url.href, { max: 1, name: 'grafana' })
  undo.push(() => reader.close())
  return reader
}

/** Grafana's macro, for the time that it shows at first. */
const forAnHour = (sql: string): string =>
  sql.replace(/\$__timeFilter\((\w+)\)/g, "$1 BETWEEN now() - interval '1 hour' AND now()")
