/** `streamforge replay FILE`: a file's rows as events to a running edge. */
import { type ReplayReport, type ReplayStatus, replayFile } from '../../streams/sources/replay.ts'
import { SendFailed } from '../../streams/sources/send.ts'
import { CommandFailed, defineCommand, INTERRUPTED, parseArguments, UsageError } from '../command.ts'
import { humanCount, humanSpan } from '../human.ts'
import { findEdge, TARGET_OPTIONS, TARGET_USAGE } from '../platform.ts'
import { bar, progressPrinter } from '../progress.ts'
import { fileArgument, mappingOption, mustBeFile, PRESET_NAMES } from '../row-file.ts'

export const replay = defineCommand({
  name: 'replay',
  usage: `streamforge replay FILE --mapping NAME|FILE [options]

Sends each row of a CSV, JSON or NDJSON file as an event. After an interrupt the same command goes on where it stopped.
Rows that are no events, or that the edge refuses, are written to <file name>.rejected.ndjson in the data folder.

  --mapping NAME    which columns become which fields: a preset (${PRESET_NAMES}) or a mapping file (JSON);
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
    const path = fileArgument('replay', positionals, io)
    const file = positionals[0]!
    const speed = speedOf(values.speed)
    const { mapping } = await mappingOption('replay', values.mapping ?? values.preset, io)
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
        onProgress: (status) => draw.line(progressLine(status)),
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

export function progressLine({ share, rows, rate, remainingMs, bad, rejected }: ReplayStatus): string {
  const unused = bad + rejected
  return [
    bar(share),
    `${humanCount(rows)} rows`,
    `${humanCount(Math.round(rate))}/s`,
    ...(remainingMs === null ? [] : [`${humanSpan(remainingMs)} left`]),
    ...(unused === 0 ? [] : [`${humanCount(unused)} not used`]),
  ].join(' · ')
}

function conclusion(report: ReplayReport): string {
  const { rows, accepted, duplicates, bad, rejected, withoutConsent, elapsedMs, resumedAfterLine } = report
  const letGo = withoutConsent > 0 ? `, ${humanCount(withoutConsent)} without consent` : ''
  const lines: string[] = []
  if (resumedAfterLine > 0)
    lines.push(`Went on after line ${humanCount(resumedAfterLine)}, where an earlier replay had stopped.`)
  lines.push(
    `${humanCount(rows)} rows in ${humanSpan(elapsedMs)}: ${humanCount(accepted)} accepted, ${humanCount(duplicates)} duplicates, ${humanCount(bad)} bad rows, ${humanCount(rejected)} rejected${letGo}.`,
  )
  if (report.rejectedPath) lines.push(`What was not used, with line and reason: ${report.rejectedPath}`)
  if (!report.finished) {
    lines.push(
      `Stopped after line ${humanCount(report.acknowledgedLine)}. The same command goes on from there; --restart begins anew.`,
    )
  }
  return lines.join('\n')
}
