/**
 * How fast the streams catch up: the deterministic workload from the embedded log through the real runtime into real stores, with the counts
 * checked against the reference.
 *
 * One process reads, computes and writes; PostgreSQL is measured apart. Counts: what is late depends on how events fall into partitions, so with
 * late events the identity is checked (applied + late = all); without any, every figure must be the reference's.
 */
import { startPart } from './child.ts'
import { assertRight, type Counted, count } from './counts.ts'
import { percentile } from './measure.ts'
import { type Benchmark, number } from './report.ts'
import { startDatabase, withFolder } from './stores.ts'
import type { StreamsFigures, StreamsSettings } from './streams-process.ts'
import { prepareWorkload } from './workload.ts'

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
          assertRight(counted, expected, spec.latePerMillion === 0)
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
