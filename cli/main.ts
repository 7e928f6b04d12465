/** The commands of `streamforge`, and how one is chosen. Signals become an AbortSignal here, once. */
import { systemClock } from '../streams/time/clock.ts'
import type { Command, CommandIo } from './command.ts'
import { version } from './version.ts'

interface Entry {
  /** One line, for the list of commands. */
  summary: string
  load(): Promise<Command>
}

/** Code is loaded when it is needed: neither the list nor `status` must wait for what only `up` needs. */
export const COMMANDS: Readonly<Record<string, Entry>> = {
  up: {
    summary: 'run the whole platform on this machine (npm start)',
    load: async () => (await import('./commands/up.ts')).up,
  },
  edge: {
    summary: 'run the edge as a process of its own (cluster)',
    load: async () => (await import('./commands/edge.ts')).edge,
  },
  streams: {
    summary: 'run the streams as a process of its own (cluster)',
    load: async () => (await import('./commands/streams.ts')).streams,
  },
  'lake-writer': {
    summary: 'run the writer of the Iceberg tables as a process of its own (cluster)',
    load: async () => (await import('./commands/lake-writer.ts')).lakeWriter,
  },
  cdc: {
    summary: "follow a database's tables: start, status, resnapshot",
    load: async () => (await import('./commands/cdc.ts')).cdc,
  },
  worker: {
    summary: 'run the batch workflows as a process of its own (cluster)',
    load: async () => (await import('./commands/worker.ts')).worker,
  },
  status: {
    summary: 'where the running platform listens, and how it is',
    load: async () => (await import('./commands/status.ts')).status,
  },
  doctor: {
    summary: 'look at every part, and say what is wrong and what to do',
    load: async () => (await import('./commands/doctor.ts')).doctor,
  },
  backup: {
    summary: 'copy an embedded platform into a folder, also while it runs',
    load: async () => (await import('./commands/backup.ts')).backup,
  },
  restore: {
    summary: 'make a data folder of a backup',
    load: async () => (await import('./commands/restore.ts')).restore,
  },
  token: {
    summary: 'an access token for scripts on this machine',
    load: async () => (await import('./commands/token.ts')).token,
  },
  'login-link': {
    summary: 'a link to the dashboard that signs in once',
    load: async () => (await import('./commands/login-link.ts')).loginLink,
  },
  keys: {
    summary: 'who may send events: list, create, revoke',
    load: async () => (await import('./commands/keys.ts')).keys,
  },
  users: {
    summary: 'the accounts of people: list, add, change, remove',
    load: async () => (await import('./commands/users.ts')).users,
  },
  erasures: {
    summary: 'persons who are to be forgotten: request, list, show',
    load: async () => (await import('./commands/erasures.ts')).erasures,
  },
  schemas: {
    summary: 'what the schema registry holds',
    load: async () => (await import('./commands/schemas.ts')).schemas,
  },
  simulate: {
    summary: 'send simulated visitors, orders and trips',
    load: async () => (await import('./commands/simulate.ts')).simulate,
  },
  shop: {
    summary: 'keep a shop in a database, whose changes can be followed',
    load: async () => (await import('./commands/shop.ts')).shop,
  },
  replay: {
    summary: 'send the rows of a CSV, JSON or NDJSON file as events',
    load: async () => (await import('./commands/replay.ts')).replay,
  },
  import: {
    summary: 'bring the rows of a file of any size into the lake, once',
    load: async () => (await import('./commands/import.ts')).importCommand,
  },
  dlq: {
    summary: 'dead letters: list, show, replay',
    load: async () => (await import('./commands/dlq.ts')).dlq,
  },
  sql: {
    summary: "a query over the lake's tables",
    load: async () => (await import('./commands/sql.ts')).sql,
  },
  warehouse: {
    summary: 'the star schema in a database elsewhere: publish, status',
    load: async () => (await import('./commands/warehouse.ts')).warehouse,
  },
  lake: {
    summary: 'tables, snapshots and files of the lake; settings for other programs',
    load: async () => (await import('./commands/lake.ts')).lake,
  },
  schedules: {
    summary: 'what runs by itself and when; pause, trigger, backfill',
    load: async () => (await import('./commands/schedules.ts')).schedules,
  },
  topics: {
    summary: 'make the topics that a Kafka cluster lacks',
    load: async () => (await import('./commands/topics.ts')).topics,
  },
  migrate: {
    summary: "bring the database to this version's tables",
    load: async () => (await import('./commands/migrate.ts')).migrate,
  },
  bench: {
    summary: 'measure this checkout on this machine',
    load: async () => (await import('./commands/bench.ts')).bench,
  },
}

const LINGER_MS = 3_000

/** Runs one command and sets the exit code. */
export async function main(args: readonly string[]): Promise<void> {
  const [name, ...rest] = args
  const io = terminal()
  if (name === '--version' || name === '-v') {
    io.out(`${version()}\n`)
    return
  }
  if (name === undefined || name === 'help' || name === '--help' || name === '-h') {
    io.out(overview())
    return
  }
  const entry = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined
  if (!entry) {
    io.err(`There is no command "${name}". Known: ${Object.keys(COMMANDS).join(', ')}. See "streamforge --help".\n`)
    process.exitCode = 2
    return
  }
  const command = await entry.load()
  process.exitCode = await command.run(rest, io)
  // Asked to stop, and done with it: a client that does not let go of a server which is gone must not keep the process.
  if (io.signal.aborted) setTimeout(() => process.exit(), LINGER_MS).unref()
}

function overview(): string {
  const lines = Object.entries(COMMANDS).map(([name, { summary }]) => `  ${name.padEnd(12)} ${summary}`)
  return `streamforge <command> [options]\n\n${lines.join('\n')}\n\n"streamforge <command> --help" tells more about one.\n`
}

function terminal(): CommandIo {
  const stop = new AbortController()
  let signals = 0
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      stop.abort()
      // Somebody who insists is obeyed: the log keeps what was accepted, and the next start recovers.
      if (++signals >= 3) process.exit(130)
    })
  }
  // Whoever reads what is written may have seen enough (`| head`): a reason to end, not a failure.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
    stop.abort()
  })
  if (process.send) {
    process.once('disconnect', () => stop.abort())
    // It must not keep alive what has nothing else to do.
    process.channel?.unref()
  }
  return {
    ...(process.send && { tellParent: (message: object) => void process.send?.(message) }),
    out: (text) => process.stdout.write(text),
    err: (text) => process.stderr.write(text),
    isTty: process.stderr.isTTY === true,
    env: process.env,
    cwd: process.cwd(),
    clock: systemClock,
    signal: stop.signal,
  }
}
