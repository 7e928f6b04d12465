/**
 * How fast the streams catch up: the deterministic workload from the embedded log through the real runtime into real stores, with the counts
 * checked against the reference.
 *
 * One process reads, computes and writes; PostgreSQL is measured apart. Counts: what is late depends on how events fall into partitions, so with
 * late events the identity is checked (applied + late = all); without any, every figure must be the reference's.
 */
import { connect } from '../db/postgres/connect.ts'
import { startPart } from './child.ts'
import { percentile } from './measure.ts'
import { type Benchmark, number } from './report.ts'
import { startDatabase, withFolder } from './stores.ts'
import type { StreamsFigures, StreamsSettings } from './streams-process.ts'
import { type Expected, prepareWorkload } from './workload.ts'

interface Counted {
  sessions: number
  session_events: number
  late_sessions: number
  alerts: number
  late_alerts: number
  revenue_orders: number
  revenue_cents: number
  late_revenue: number
}

export const streams: Benchmark = {
  name: 'streams',
  options: {
    events: { type: 'string', default: '2000000' },
    users: { type: 'string', default: '50000' },
    'late-per-million': { type: 'string', default: '200' },
    runs: { type: 'string', default: '3' },
    jobs: { type: 'string', default: 'three,all' },
    /** A folder to keep the loaded log in, or to find it in. */
    workload: { type: 'string' },
    /** Passed to the measured process, e.g. `--cpu-prof`. */
    node: { type: 'string' },
  },
  async run(options, show) {
    const spec = {
      events: Number(options.events),
      users: Number(options.users),
      latePerMillion: Number(options['late-per-million']),
    }
    const measure = async (folder: string) => {
      const expected = await prepareWorkload(folder, spec)
      for (const jobs of String(options.jobs).split(',') as StreamsSettings['jobs'][]) {
        const runs: StreamsFigures[] = []
        for (let i = 0; i < Number(options.runs); i++) {
          const { figures, counted } = await runOnce(folder, jobs, options.node ? [String(options.node)] : [])
          const wrong = differences(counted, expected, spec.latePerMillion === 0)
          if (wrong.length > 0) throw new Error(`The results are wrong: ${wrong.join('; ')}.`)
          runs.push(figures)
        }
        show({
          ...row(jobs, runs),
          benchmark: `streams, ${jobs === 'all' ? 'all jobs' : 'sessions + fraud + revenue'}`,
        })
      }
    }
    await (options.workload ? measure(String(options.workload)) : withFolder(measure))
  },
}

async function runOnce(
  logFolder: string,
  jobs: StreamsSettings['jobs'],
  nodeFlags: readonly string[],
): Promise<{ figures: StreamsFigures; counted: Counted }> {
  return withFolder(async (folder) => {
    const server = await startDatabase(folder)
    try {
      const settings: StreamsSettings = { logFolder, folder, postgresUrl: server.url, postgresPid: server.pid, jobs }
      const part = startPart<StreamsFigures>(new URL('./streams-process.ts', import.meta.url), settings, nodeFlags)
      const figures = await part.next()
      await part.end()
      return { figures, counted: await count(server.url) }
    } finally {
      await server.stop()
    }
  })
}

async function count(url: string): Promise<Counted> {
  const { sql, close } = connect(url, { max: 1 })
  try {
    const [counted] = await sql<Counted[]>`
      SELECT
        (SELECT count(*) FROM sessions WHERE merged_into IS NULL) AS sessions,
        (SELECT sum(events)::bigint FROM sessions WHERE merged_into IS NULL) AS session_events,
        (SELECT coalesce(sum(events), 0)::bigint FROM outcomes_by_minute WHERE job = 'sessions') AS late_sessions,
        (SELECT count(*) FROM fraud_alerts WHERE state = 'active') AS alerts,
        (SELECT coalesce(sum(events), 0)::bigint FROM outcomes_by_minute WHERE job LIKE 'fraud-detector/%') AS late_alerts,
        (SELECT sum(orders)::bigint FROM revenue_by_minute) AS revenue_orders,
        (SELECT sum(revenue_minor)::bigint FROM revenue_by_minute) AS revenue_cents,
        (SELECT coalesce(sum(events), 0)::bigint FROM outcomes_by_minute WHERE job = 'revenue') AS late_revenue`
    return counted!
  } finally {
    await close()
  }
}

function differences(counted: Counted, { all, withoutLate }: Expected, exact: boolean): string[] {
  const wrong: string[] = []
  const equal = (what: string, found: number, wanted: number | undefined) => {
    if (found !== wanted) wrong.push(`${what}: ${found}, not ${wanted}`)
  }
  equal('session events + late', counted.session_events + counted.late_sessions, all.session_events)
  equal('revenue orders + late', counted.revenue_orders + counted.late_revenue, all.revenue_orders)
  if (exact) {
    for (const name of ['sessions', 'session_events', 'alerts', 'revenue_orders', 'revenue_cents'] as const)
      equal(name, counted[name], all[name])
    return wrong
  }
  // A partition's watermark is never ahead of the topic's, which the reference goes by: no more can be late than there.
  for (const name of ['late_sessions', 'late_alerts', 'late_revenue'] as const) {
    if (counted[name] > (withoutLate[name] ?? 0)) wrong.push(`${name}: ${counted[name]}, at most ${withoutLate[name]}`)
  }
  return wrong
}

function row(jobs: StreamsSettings['jobs'], runs: readonly StreamsFigures[]) {
  const median = (of: (f: StreamsFigures) => number) => percentile(runs.map(of), 0.5)
  const perMillion = (seconds: (f: StreamsFigures) => number) => median((f) => (seconds(f) / f.events) * 1e6)
  return {
    target: jobs === 'three' ? '≥ 250,000 events per CPU-second' : '',
    result: `**${number(median((f) => f.events / f.processCpuSeconds))} events per CPU-second**, ${number(median((f) => f.events / f.seconds))} events/s`,
    details: [
      `${perMillion((f) => f.processCpuSeconds).toFixed(2)} CPU s/M whole process`,
      `${perMillion((f) => f.cpuSeconds).toFixed(2)} after start-up`,
      `PostgreSQL ${perMillion((f) => f.postgresCpuSeconds).toFixed(2)} CPU s/M`,
      `peak RSS ${number(median((f) => f.peakMiB))} MiB`,
      `${median((f) => f.flushes)} flushes, ${median((f) => f.checkpoints)} checkpoints of ${number(median((f) => f.checkpointMiB))} MiB in all`,
      `median of ${runs.length}, the best ${number(Math.max(...runs.map((f) => f.events / f.processCpuSeconds)))} per CPU-second`,
    ],
  }
}
