/** `streamforge bench`: measures this checkout on this machine, a Markdown row for each benchmark. */

import { batchDay } from '../../bench/batch/day.ts'
import { batchImport } from '../../bench/batch/import.ts'
import { cdc } from '../../bench/cdc.ts'
import { edgeIngest } from '../../bench/edge/ingest.ts'
import { edgeRead } from '../../bench/edge/read.ts'
import { ingest } from '../../bench/ingest.ts'
import { kafka } from '../../bench/kafka.ts'
import { lakeAppend } from '../../bench/lake/append.ts'
import { lakeCommit } from '../../bench/lake/commit.ts'
import { lakeCompact } from '../../bench/lake/compact.ts'
import { lakeErase } from '../../bench/lake/erase.ts'
import { lakeMemory } from '../../bench/lake/memory.ts'
import { lakePlan } from '../../bench/lake/plan.ts'
import { latency } from '../../bench/latency.ts'
import { memory } from '../../bench/memory.ts'
import { type Benchmark, BenchmarkUnavailable, TABLE_HEAD, tableRow } from '../../bench/report.ts'
import { streams } from '../../bench/streams.ts'
import { tracing } from '../../bench/tracing.ts'
import { CommandFailed, defineCommand, parseArguments, UsageError } from '../command.ts'

const BENCHMARKS: readonly Benchmark[] = [
  streams,
  kafka,
  memory,
  ingest,
  latency,
  lakeAppend,
  lakeCommit,
  lakePlan,
  lakeErase,
  lakeCompact,
  lakeMemory,
  batchDay,
  batchImport,
  edgeIngest,
  edgeRead,
  tracing,
  cdc,
]

export const bench = defineCommand({
  name: 'bench',
  usage: `streamforge bench [NAME] [options]

Runs one benchmark or all (${BENCHMARKS.map((b) => b.name).join(', ')}) and prints a row of a Markdown table for each. bench/README.md holds figures
and says what they mean. Everything runs in temporary folders, on free ports, and is removed afterwards.

${BENCHMARKS.map(
  (b) =>
    `  ${b.name}: ${Object.entries(b.options)
      .map(([name, o]) => `--${name}${'default' in o ? ` (${o.default})` : ''}`)
      .join(', ')}`,
).join('\n')}`,
  async run(args, io) {
    const name = args[0]?.startsWith('-') ? undefined : args[0]
    const chosen = name === undefined ? BENCHMARKS : BENCHMARKS.filter((b) => b.name === name)
    if (chosen.length === 0) {
      throw new UsageError(`There is no benchmark "${name}", only ${BENCHMARKS.map((b) => b.name).join(', ')}.`)
    }
    if (name === undefined && args.length > 0) throw new UsageError(`Options belong to one benchmark: name it first.`)
    io.out(`${TABLE_HEAD}\n`)
    for (const benchmark of chosen) {
      const { values } = parseArguments(name === undefined ? [] : args.slice(1), benchmark.options)
      try {
        await benchmark.run(values, (row) => io.out(`${tableRow(row)}\n`))
      } catch (error) {
        if (error instanceof BenchmarkUnavailable && name === undefined) {
          io.out(`${benchmark.name} is left out: ${error.message}\n`)
          continue
        }
        throw new CommandFailed(`${benchmark.name}: ${(error as Error).message}`)
      }
    }
    return 0
  },
})
