/**
 * The logger of every process: JSON lines by pino, on stderr, so that stdout stays for people. Each has its level, time and component, and the trace that it belongs to
 * where one is followed.
 * Invariant: what could be a secret is masked, whoever logs it.
 */
import pino, { type DestinationStream, type Logger } from 'pino'
import { traceFields } from './spans.ts'

export type { Logger }

/** Names under which secrets travel; masked at the top level, and one and two levels down. */
const SECRET_NAMES = [
  'password',
  'authorization',
  'cookie',
  'token',
  'access_token',
  'refresh_token',
  'writeKey',
  'write_key',
  'jwtSecret',
  'databaseUrl',
]

export interface LogOptions {
  /** A pino level, or `silent`. */
  level: string
  /** Which part of the platform logs: `edge`, `streams` … */
  component: string
  /** Where lines go; stderr when missing. */
  destination?: DestinationStream
}

export function createLogger({ level, component, destination }: LogOptions): Logger {
  return pino(
    {
      level,
      base: { component },
      mixin: traceFields,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: {
        paths: [
          ...SECRET_NAMES,
          ...SECRET_NAMES.map((n) => `*.${n}`),
          ...SECRET_NAMES.map((n) => `*.*.${n}`),
          '["x-write-key"]',
          '*["x-write-key"]',
          '*.*["x-write-key"]',
        ],
        censor: '[secret]',
      },
    },
    destination ?? pino.destination({ dest: 2, sync: false }),
  )
}
