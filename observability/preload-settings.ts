/** What the preload goes by: who the process is, whether traces are wanted, how many. The variables are OpenTelemetry's own. */

type Env = Readonly<Record<string, string | undefined>>

/** What is traced, by the command that runs it: the roles, and what starts work for one of them, which is then a part of the caller's trace. */
const ROLES: Readonly<Record<string, string>> = {
  up: 'edge',
  edge: 'edge',
  streams: 'streams',
  'lake-writer': 'lake-writer',
  worker: 'worker',
  import: 'cli',
  schedules: 'cli',
}

/** @param args of the command, or of a thread @returns null for all others: a command that is soon over, or one that only starts others */
export function roleOf([command = '', ...options]: readonly string[]): string | null {
  const isPassing = options.some((option) => ['--cluster', '--help', '-h'].includes(option))
  return !isPassing && Object.hasOwn(ROLES, command) ? ROLES[command]! : null
}

/** Where traces go, without what could be a secret; null: nowhere. */
export function collectorUrl(env: Env): string | null {
  const { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: own, OTEL_EXPORTER_OTLP_ENDPOINT: common } = env
  const url = own?.trim() || (common?.trim() ? `${common.trim().replace(/\/$/, '')}/v1/traces` : '')
  if (url === '' || env.OTEL_SDK_DISABLED?.trim().toLowerCase() === 'true') return null
  if (env.OTEL_TRACES_EXPORTER?.trim() === 'none') return null
  if (!URL.canParse(url)) return url
  const { origin, pathname } = new URL(url)
  return origin + pathname
}

/** Whoever turns tracing on wants to see something: everything, unless they say otherwise. */
export function ratioOf({ OTEL_TRACES_SAMPLER_ARG: text }: Env): { ratio: number; problem: string | null } {
  const given = text?.trim() ?? ''
  const ratio = given === '' ? 1 : Number(given)
  if (ratio >= 0 && ratio <= 1) return { ratio, problem: null }
  return {
    ratio: 1,
    problem: `OTEL_TRACES_SAMPLER_ARG is the share of traces to record, from 0 to 1, not "${given.slice(0, 80)}": everything is recorded. Example: OTEL_TRACES_SAMPLER_ARG=0.01`,
  }
}

const LEVELS = new Set(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'])

/** Of the preload's own lines: all of them are warnings. What the level may be is the configuration's to say. */
export const levelOf = ({ STREAMFORGE_LOG_LEVEL: level = '' }: Env): string => (LEVELS.has(level) ? level : 'warn')
