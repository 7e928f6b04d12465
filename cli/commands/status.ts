/** `streamforge status`: where each part of the platform running on a data folder listens, and how it is; so too for edge and streams as processes of their own. */
import { defineCommand, parseArguments, UsageError } from '../command.ts'
import { findPlatform, type RunningPlatform, type WorkflowsState } from '../platform.ts'
import { type Addresses, findProcesses, type RoleProcess, withoutPassword } from '../processes.ts'
import { configFrom } from '../settings.ts'

const NOT_RUNNING = 3
const TIMEOUT_MS = 5_000

interface Health {
  /** `elsewhere`: none runs here as far as this folder knows. */
  edge: 'ok' | 'unreachable' | 'elsewhere'
  pipelines: 'ok' | 'degraded' | 'unknown'
  lag_records: number | null
  live: boolean | null
}

export const status = defineCommand({
  name: 'status',
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
    const [platform, processes] = await Promise.all([findPlatform(dataDir), findProcesses(dataDir)])
    if (!platform && processes.length === 0) {
      if (values.json) io.out(`${JSON.stringify({ running: false, data_dir: dataDir })}\n`)
      else io.err(`No platform is running on ${dataDir}. "npm start" starts one.\n`)
      return NOT_RUNNING
    }
    const described: Described = platform ?? { ...processes[0]?.addresses, data_dir: dataDir }
    const [health, roles] = await Promise.all([healthOf(platform), Promise.all(processes.map(roleOf))])
    io.out(
      values.json
        ? `${JSON.stringify({ running: true, ...described, processes: roles, health }, null, 2)}\n`
        : table(described, roles, health),
    )
    const well =
      (health.edge === 'elsewhere' || (health.edge === 'ok' && health.pipelines === 'ok')) &&
      roles.every(({ health }) => WELL.has(health)) &&
      platform?.workflows?.state !== 'failed'
    return well ? 0 : 1
  },
})

/** `unknown`: it serves nothing that could be asked. */
interface Role extends Pick<RoleProcess, 'role' | 'pid' | 'started_at' | 'url'> {
  health: 'ok' | 'standby' | 'stuck' | 'unreachable' | 'unknown'
  /** Of streams. */
  partitions?: number
  /** Of a lake-writer. */
  tables?: number
  lag_records?: number
  /** Of a worker: activities that it runs. */
  activities?: number
}

const WELL = new Set<Role['health']>(['ok', 'standby', 'unknown'])

interface HealthAnswer {
  data: {
    status: 'ok' | 'standby' | 'stuck'
    lag?: number
    tasks?: unknown[]
    tables?: unknown[]
    activities?: { running: unknown[] }
  }
}

async function roleOf({ role, pid, started_at, url }: RoleProcess): Promise<Role> {
  const about = { role, pid, started_at, url }
  if (url === null) return { ...about, health: 'unknown' }
  try {
    const response = await fetch(`${url}/health`, { signal: AbortSignal.timeout(TIMEOUT_MS) })
    const { status, lag, tasks, tables, activities } = ((await response.json()) as HealthAnswer).data
    return {
      ...about,
      health: status,
      ...(tasks && { partitions: tasks.length }),
      ...(tables && { tables: tables.length }),
      ...(lag !== undefined && { lag_records: lag }),
      ...(activities && { activities: activities.running.length }),
    }
  } catch {
    return { ...about, health: 'unreachable' }
  }
}

interface PipelinesAnswer {
  data: { lag: number; pipelines: { status: string }[] }
}

async function healthOf(platform: RunningPlatform | null): Promise<Health> {
  const unknown = { pipelines: 'unknown', lag_records: null, live: null } as const
  if (!platform) return { edge: 'elsewhere', ...unknown }
  const { edge_url } = platform
  try {
    await fetch(`${edge_url}/health`, { signal: AbortSignal.timeout(TIMEOUT_MS) })
  } catch {
    return { edge: 'unreachable', ...unknown }
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
    return { edge: 'ok', ...unknown }
  }
}

type Described = Addresses &
  Pick<RunningPlatform, 'data_dir'> &
  Partial<Pick<RunningPlatform, 'edge_url' | 'pid' | 'started_at' | 'workflows'>>

function table(platform: Described, roles: readonly Role[], health: Health): string {
  const {
    edge_url,
    kafka_brokers,
    redis_url,
    postgres_url,
    schema_registry_url,
    s3_endpoint,
    temporal_address,
    temporal_ui_url,
    data_dir,
    pid,
    started_at,
  } = platform
  const lag = health.lag_records === null ? '' : `, lag ${health.lag_records} records`
  const rows: [string, string | undefined][] = [
    ['edge', edge_url && `${edge_url}   ${health.edge}`],
    ['kafka', kafka_brokers],
    ['redis', redis_url],
    // A person's screen is not for secrets; `--json` is for programs that connect.
    ['postgres', postgres_url && withoutPassword(postgres_url)],
    ['schemas', schema_registry_url],
    ['objects', s3_endpoint],
    ['temporal', temporal_address && `${temporal_address}${temporal_ui_url ? `, its UI at ${temporal_ui_url}` : ''}`],
    ['workflows', workflowsLine(platform.workflows)],
    ['pipelines', `${health.pipelines}${lag}${health.live === false ? ', catching up' : ''}`],
    ['data', data_dir],
    [
      'process',
      pid === undefined || roles.some((role) => role.pid === pid) ? undefined : `${pid}, since ${started_at}`,
    ],
    ...roles.map((role): [string, string] => [role.role, roleLine(role)]),
  ]
  return rows.flatMap(([name, value]) => (value === undefined ? [] : [`${name.padEnd(11)} ${value}\n`])).join('')
}

/** Where they run, the worker's line tells more. */
function workflowsLine(workflows: WorkflowsState | undefined): string | undefined {
  if (!workflows || workflows.state === 'running') return undefined
  const { state, problem } = workflows
  return problem === undefined ? state : `${state}: ${problem.split('\n')[0]}`
}

function roleLine({ pid, started_at, url, health, partitions, tables, lag_records, activities }: Role): string {
  const counts: [number | undefined, one: string, many: string][] = [
    [partitions, 'partition', 'partitions'],
    [tables, 'table', 'tables'],
    [activities, 'activity', 'activities'],
  ]
  const counted = counts
    .flatMap(([n, one, many]) => (n === undefined ? [] : [`, ${n} ${n === 1 ? one : many}`]))
    .join('')
  const work = lag_records === undefined ? counted : `${counted}, lag ${lag_records} records`
  return `process ${pid}, since ${started_at}${url ? `, at ${url}` : ''}   ${health}${work}`
}
