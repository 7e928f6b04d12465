/** What processes of one role (streams, lake-writer) have in common: a page for health and metrics, and an end that comes also where the servers are gone. */
import type { Config } from '../db/config.ts'
import { CannotListen, type Served, serve } from '../edge/node.ts'
import { createMonitor } from '../streams/monitor.ts'
import { CommandFailed, type CommandIo } from './command.ts'

/** They wait 10 s for their stores; then only the group is left to leave. */
const STOP_MAX_MS = 20_000

/** Whoever is asked to stop ends, also where the servers are gone already. @returns whether it has ended by then */
export async function endsInTime(done: Promise<void>, { signal, clock }: CommandIo): Promise<boolean> {
  const late = new AbortController()
  const tooLate = new Promise<void>((resolve) => {
    const wait = () => void clock.sleep(STOP_MAX_MS, late.signal).then(resolve)
    if (signal.aborted) wait()
    else signal.addEventListener('abort', wait, { once: true })
  })
  try {
    return await Promise.race([done.then(() => true), tooLate.then(() => false)])
  } finally {
    late.abort()
  }
}

export async function startMonitor(
  { host, metricsPort }: Config,
  deps: Parameters<typeof createMonitor>[0],
): Promise<Served | null> {
  if (metricsPort === null) return null
  try {
    return await serve({ fetch: createMonitor(deps), host, port: metricsPort, portOption: '--metrics-port' })
  } catch (error) {
    if (error instanceof CannotListen) throw new CommandFailed(error.message)
    throw error
  }
}
