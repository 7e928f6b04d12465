/** `streamforge replay FILE`: a file's rows as events to a running edge. */
import { readFile, stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { type Mapping, parseMapping } from '../../streams/sources/mappings/mapping.ts'
import { PRESETS } from '../../streams/sources/mappings/presets.ts'
import { type ReplayReport, type ReplayStatus, replayFile } from '../../streams/sources/replay.ts'
import { SendFailed } from '../../streams/sources/send.ts'
import { CommandFailed, type CommandIo, defineCommand, INTERRUPTED, parseArguments, UsageError } from '../command.ts'
import { findEdge, TARGET_OPTIONS, TARGET_USAGE } from '../platform.ts'

const names = Object.keys(PRESETS).join(', ')

export const replay = defineCommand({
  name: 'replay',
  usage: `streamforge replay FILE --mapping NAME|FILE [options]

Sends each row of a CSV, JSON or NDJSON file as an event. After an interrupt the same command goes on where it stopped.
Rows that are no events, or that the edge refuses, are written to <file name>.rejected.ndjson in the data folder.

  --mapping NAME    which columns become which fields: a preset (${names}) or a mapping file (JSON);
                    --preset is the same
  --speed X|max     X times as fast as it happened, by event time (default max)
  --keep-time       send the times of the file; without it an event happens when it is sent
  --restart         begin at the first row although an earlier replay was interrupted
${TARGET_USAGE}

A mapping file: {"topic": "orders", "currency": "TRY", "columns": {"order_id": "id", "user_id": "customer",
  "amount": {"column": "cents", "unit": "minor"}, "status": {"column": "state", "values": {"paid": "success"}},
  "event_time": "created_at", "region": {"const": "north"}}, "properties": ["note"]}`,
  async run(args, io) {
    const { values, positionals } = parseArguments(args, {
      ...TARGET_OPTIONS,
      mapping: { type: 'string' },
      preset: { type: 'string' },
      speed: { type: 'string', default: 'max' },
      'keep-time': { type: 'boolean', default: false },
      restart: { type: 'boolean', default: false },
    })
    const [file, ...more] = positionals
    if (file === undefined) throw new UsageError('replay needs a file.')
    if (more.length > 0) throw new UsageError(`replay takes one file, not ${positionals.length}.`)
    const speed = speedOf(values.speed)
    const mapping = await mappingOf(values.mapping ?? values.preset, io)
    const path = resolve(io.cwd, file)
    await mustBeFile(path, file)
    const target = await findEdge(values, io)

    if (values['keep-time']) {
      io.err(
        "Times are kept: the results are those of the time of the file. Where newer events have been taken before, e.g. the simulator's, these count as late; " +
          'use a data folder of its own then (npm start -- --no-simulate --data DIR).\n',
      )
    }
    const draw = progressPrinter(io)
    let report: ReplayReport
    try {
      report = await replayFile({
        path,
        mapping,
        ...target,
        clock: io.clock,
        speed,
        keepTime: values['keep-time'],
        restart: values.restart,
        signal: io.signal,
        onProgress: draw.status,
      })
    } catch (error) {
      draw.end()
      if (error instanceof SendFailed) throw new CommandFailed(error.message)
      throw new CommandFailed(`${file} can't be replayed: ${(error as Error).message}`)
    }
    draw.end()
    io.out(`${conclusion(report)}\n`)
    return report.finished ? 0 : INTERRUPTED
  },
})

function speedOf(text: string): number | 'max' {
  if (text === 'max') return 'max'
  const speed = /^\d+(\.\d+)?$/.test(text) ? Number(text) : 0
  if (!(speed > 0)) throw new UsageError(`--speed takes a number above 0 or "max", not "${text}".`)
  return speed
}

async function mappingOf(given: string | undefined, io: CommandIo): Promise<Mapping> {
  if (given === undefined) throw new UsageError(`replay needs --mapping: a preset (${names}) or a mapping file.`)
  if (Object.hasOwn(PRESETS, given)) return PRESETS[given]!
  let text: string
  try {
    text = await readFile(resolve(io.cwd, given), 'utf8')
  } catch {
    throw new UsageError(`--mapping ${given} is neither a preset (${names}) nor a file that can be read.`)
  }
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw new UsageError(`--mapping ${given} is not valid JSON: ${(error as Error).message}.`)
  }
  try {
    return parseMapping(value, given)
  } catch (error) {
    throw new UsageError(`${(error as Error).message}\n`)
  }
}

async function mustBeFile(path: string, shown: string): Promise<void> {
  const found = await stat(path).catch(() => null)
  if (!found) throw new UsageError(`There is no file ${shown}.`)
  if (!found.isFile()) throw new UsageError(`${shown} is not a file.`)
}

const LINE_EVERY_MS = 1_000
const BAR_CELLS = 24

/** A bar that is drawn over itself on a terminal, a line a second elsewhere. */
function progressPrinter(io: CommandIo): { status(status: ReplayStatus): void; end(): void } {
  let last = Number.NEGATIVE_INFINITY
  return {
    status(status) {
      if (io.isTty) return io.err(`\r\x1b[K${progressLine(status)}`)
      if (io.clock.now() - last < LINE_EVERY_MS) return
      last = io.clock.now()
      io.err(`${progressLine(status)}\n`)
    },
    end() {
      if (io.isTty) io.err('\r\x1b[K')
    },
  }
}

export function progressLine({ share, rows, rate, remainingMs, bad, rejected }: ReplayStatus): string {
  const cells = Math.round(share * BAR_CELLS)
  const bar = '█'.repeat(cells) + '░'.repeat(BAR_CELLS - cells)
  const unused = bad + rejected
  return [
    `${bar} ${String(Math.floor(share * 100)).padStart(3)} %`,
    `${number(rows)} rows`,
    `${number(Math.round(rate))}/s`,
    ...(remainingMs === null ? [] : [`${duration(remainingMs)} left`]),
    ...(unused === 0 ? [] : [`${number(unused)} not used`]),
  ].join(' · ')
}

function conclusion(report: ReplayReport): string {
  const { rows, accepted, duplicates, bad, rejected, elapsedMs, resumedAfterLine } = report
  const lines: string[] = []
  if (resumedAfterLine > 0)
    lines.push(`Went on after line ${number(resumedAfterLine)}, where an earlier replay had stopped.`)
  lines.push(
    `${number(rows)} rows in ${duration(elapsedMs)}: ${number(accepted)} accepted, ${number(duplicates)} duplicates, ${number(bad)} bad rows, ${number(rejected)} rejected.`,
  )
  if (report.rejectedPath) lines.push(`What was not used, with line and reason: ${report.rejectedPath}`)
  if (!report.finished) {
    lines.push(
      `Stopped after line ${number(report.acknowledgedLine)}. The same command goes on from there; --restart begins anew.`,
    )
  }
  return lines.join('\n')
}

const number = (n: number): string => n.toLocaleString('en')

function duration(ms: number): string {
  const seconds = ms / 1000
  if (seconds < 10) return `${seconds.toFixed(1)} s`
  if (seconds < 90) return `${Math.round(seconds)} s`
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`
  return `${(seconds / 3600).toFixed(1)} h`
}
