/** `streamforge simulate`: simulated traffic to a running edge. */

import { runSimulator } from '../../streams/sources/run-simulator.ts'
import { type SendCounts, SendFailed } from '../../streams/sources/send.ts'
import { CommandFailed, defineCommand, INTERRUPTED, parseArguments, UsageError, wholeNumber } from '../command.ts'
import { findEdge, TARGET_OPTIONS, TARGET_USAGE } from '../platform.ts'

export const simulate = defineCommand({
  name: 'simulate',
  usage: `streamforge simulate [options]

Sends the traffic of a simulated shop and city to a running platform, until Ctrl-C or --events.

  --rate N          events per second, on average (default 50)
  --events N        stop after N events (default: never)
  --seed N          the same seed sends the same traffic (default: another each time)
${TARGET_USAGE}`,
  async run(args, io) {
    const { values, positionals } = parseArguments(args, {
      ...TARGET_OPTIONS,
      rate: { type: 'string', default: '50' },
      events: { type: 'string' },
      seed: { type: 'string' },
    })
    if (positionals.length > 0)
      throw new UsageError(`simulate takes no file or other argument, not "${positionals[0]}".`)
    const rate = wholeNumber('--rate', values.rate, 1, 1_000_000)
    const events = values.events === undefined ? undefined : wholeNumber('--events', values.events, 1, 1e12)
    const startedAt = io.clock.now()
    const seed = values.seed === undefined ? startedAt : wholeNumber('--seed', values.seed, 0, 1e15)
    const target = await findEdge(values, io)

    io.err(`Sending ${rate} events/s to ${target.edgeUrl} (seed ${seed}). Ctrl-C stops.\n`)
    let refused = 0
    let counts: Readonly<SendCounts>
    try {
      counts = await runSimulator({
        edgeUrl: target.edgeUrl,
        writeKey: target.writeKey,
        clock: io.clock,
        signal: io.signal,
        seed,
        rate,
        ...(events === undefined ? {} : { events }),
        patienceMs: 60_000,
        onStatus: (now, elapsedMs) =>
          io.err(`${io.isTty ? '\r\x1b[K' : ''}${summary(now, elapsedMs)}${io.isTty ? '' : '\n'}`),
        onRejected: (message) => {
          if (refused++ === 0) io.err(`${io.isTty ? '\n' : ''}The edge refused an event: ${message}\n`)
        },
      })
    } catch (error) {
      if (error instanceof SendFailed) throw new CommandFailed(`${io.isTty ? '\n' : ''}${error.message}`)
      throw error
    }
    io.err(io.isTty ? '\r\x1b[K' : '')
    io.out(`${summary(counts, io.clock.now() - startedAt)}\n`)
    return io.signal.aborted && events !== undefined ? INTERRUPTED : 0
  },
})

function summary(counts: Readonly<SendCounts>, elapsedMs: number): string {
  const sent = counts.accepted + counts.duplicates + counts.rejected + counts.withoutConsent
  const rate = Math.round((sent / Math.max(1, elapsedMs)) * 1000)
  const rejected = counts.rejected > 0 ? `, ${counts.rejected.toLocaleString('en')} rejected` : ''
  return `${counts.accepted.toLocaleString('en')} accepted, ${counts.duplicates.toLocaleString('en')} duplicates${rejected} · ${rate.toLocaleString('en')}/s`
}
