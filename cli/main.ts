/** The commands of `streamforge`, and how one is chosen. Signals become an AbortSignal here, once. */
import { systemClock } from '../streams/time/clock.ts'
import type { Command, CommandIo } from './command.ts'
import { version } from './version.ts'

/** Loaded when needed: `status` must not wait for what only `up` needs. */
const COMMANDS: Readonly<Record<string, () => Promise<Command>>> = {
  up: async () => (await import('./commands/up.ts')).up,
  edge: async () => (await import('./commands/edge.ts')).edge,
  streams: async () => (await import('./commands/streams.ts')).streams,
  status: async () => (await import('./commands/status.ts')).status,
  doctor: async () => (await import('./commands/doctor.ts')).doctor,
  schemas: async () => (await import('./commands/schemas.ts')).schemas,
  simulate: async () => (await import('./commands/simulate.ts')).simulate,
  replay: async () => (await import('./commands/replay.ts')).replay,
  dlq: async () => (await import('./commands/dlq.ts')).dlq,
  topics: async () => (await import('./commands/topics.ts')).topics,
  bench: async () => (await import('./commands/bench.ts')).bench,
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
    io.out(await overview())
    return
  }
  const load = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined
  if (!load) {
    io.err(`There is no command "${name}". Known: ${Object.keys(COMMANDS).join(', ')}. See "streamforge --help".\n`)
    process.exitCode = 2
    return
  }
  const command = await load()
  process.exitCode = await command.run(rest, io)
  // Asked to stop, and done with it: a client that does not let go of a server which is gone must not keep the process.
  if (io.signal.aborted) setTimeout(() => process.exit(), LINGER_MS).unref()
}

async function overview(): Promise<string> {
  const lines: string[] = []
  for (const load of Object.values(COMMANDS)) {
    const { name, summary } = await load()
    lines.push(`  ${name.padEnd(10)} ${summary}`)
  }
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
