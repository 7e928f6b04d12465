/** The log lines of a child process on the way to the one log of the platform: each says whose it is. */
import { z } from 'zod'

const line = z.looseObject({
  level: z.string(),
  msg: z.string().default(''),
  err: z.looseObject({ message: z.string() }).optional(),
  /** What kafkajs calls it. */
  error: z.string().optional(),
})

/**
 * @param name of the process, e.g. `streams-1`
 * @param forPeople a line to read; else the JSON line as it was, with the process added
 */
export function renderLine(name: string, text: string, forPeople: boolean): string {
  let parsed: z.output<typeof line>
  try {
    parsed = line.parse(JSON.parse(text))
  } catch {
    // What Node itself says, or a sentence for the terminal.
    return `${name}: ${text}`
  }
  if (!forPeople) return JSON.stringify({ ...parsed, process: name })
  const { level, msg, err, error, time, part, task, store } = parsed
  const about = [part, task, store].filter((value) => typeof value === 'string').join(' ')
  const moment = typeof time === 'string' ? `${time.slice(11, 19)} ` : ''
  const why = err?.message ?? error
  return `${moment}${name} ${level}: ${msg}${about ? ` (${about})` : ''}${why ? `: ${why}` : ''}`
}

/** Passes lines of children on. While parts come and go together they miss each other: what is then only a warning says nothing to a person. */
export const lineTeller =
  ({ say, isTty, isSettled }: { say(line: string): void; isTty: boolean; isSettled(): boolean }) =>
  (name: string, line: string): void => {
    if (isSettled() || !isTty || !isWarning(line)) say(renderLine(name, line, isTty))
  }

export const isWarning = (text: string): boolean => text.includes('"level":"warn"')
