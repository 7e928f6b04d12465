/** `streamforge status`: where each part of the platform running on a data folder listens, and how it is. */
import { defineCommand, parseArguments, UsageError } from '../command.ts'
import { findPlatform, type RunningPlatform } from '../platform.ts'
import { configFrom } from '../settings.ts'

const NOT_RUNNING = 3
const TIMEOUT_MS = 5_000

interface Health {
  edge: 'ok' | 'unreachable'
  pipelines: 'ok' | 'degraded' | 'unknown'
  lag_records: number | null
  live: boolean | null
}

export const status = defineCommand({
  name: 'status',
  summary: 'where the running platform listens, and how it is',
  usage: `streamforge status [options]

Exit code 0: running and well; 1: running, but a part is not well; ${NOT_RUNNING}: not running.

  --data DIR        the data folder (default: STREAMFORGE_DATA_DIR, else ./data)
  --json            for programs`,
  async run(args, io) {
    const { values, positionals } = parseArguments(args, {
      data: { type: 'string' },
      json: { type: 'boolean', default: false },
    })
    if (positionals.length > 0) throw new UsageError(`status takes options only, not "${positionals[0]}".`)
    const { dataDir } = configFrom(io.env, { dataDir: values.data })
    const platform = await findPlatform(dataDir)
    if (!platform) {
      if (values.json) io.out(`${JSON.stringify({ running: false, data_dir: dataDir })}\n`)
      else io.err(`No platform is running on ${dataDir}. "npm start" starts one.\n`)
      return NOT_RUNNING
    }
    const health = await healthOf(platform)
    io.out(
      values.json ? `${JSON.stringify({ running: true, ...platform, health }, null, 2)}\n` : table(platform, health),
    )
    return health.edge === 'ok' && health.pipelines === 'ok' ? 0 : 1
  },
})

interface PipelinesAnswer {
  data: { lag: number; pipelines: { status: string }[] }
}

async function healthOf({ edge_url }: RunningPlatform): Promise<Health> {
  try {
    await fetch(`${edge_url}/health`, { signal: AbortSignal.timeout(TIMEOUT_MS) })
  } catch {
    return { edge: 'unreachable', pipelines: 'unknown', lag_records: null, live: null }
  }
  try {
    const response = await fetch(`${edge_url}/health/pipelines`, { signal: AbortSignal.timeout(TIMEOUT_MS) })
    const { data } = (await response.json()) as PipelinesAnswer
    return {
      edge: 'ok',
      pipelines: response.ok ? 'ok' : 'degraded',
      lag_records: data.lag,
      live: data.pipelines.every(({ status }) => status === 'idle' || status === 'live'),
    }
  } catch {
    return { edge: 'ok', pipelines: 'unknown', lag_records: null, live: null }
  }
}

function table(platform: RunningPlatform, health: Health): string {
  const rows: [string, string][] = [
    ['edge', `${platform.edge_url}   ${health.edge}`],
    ...(platform.postgres_url ? [['postgres', withoutPassword(platform.postgres_url)] as [string, string]] : []),
    [
      'pipelines',
      `${health.pipelines}${health.lag_records === null ? '' : `, lag ${health.lag_records} records`}${health.live === false ? ', catching up' : ''}`,
    ],
    ['data', platform.data_dir],
    ['process', `${platform.pid}, since ${platform.started_at}`],
  ]
  return `${rows.map(([name, value]) => `${name.padEnd(10)} ${value}`).join('\n')}\n`
}

/** A person's screen is not for secrets; `--json` is for programs that connect. */
function withoutPassword(url: string): string {
  const shown = new URL(url)
  shown.password = ''
  return shown.href
}
