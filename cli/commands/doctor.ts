/**
 * `streamforge doctor`: sends one tagged event through the platform, looks at every part beside it, and says of each fault what it is, why it matters and what to do.
 * `cli/doctor` has the checks, a file per part.
 */
import { defineCommand, parseArguments, UsageError, wholeNumber } from '../command.ts'
import { examine } from '../doctor/examine.ts'
import { familiesOf } from '../doctor/families.ts'
import { findPlace } from '../doctor/place.ts'
import { resultText, summaryText } from '../doctor/report.ts'
import { TARGET_OPTIONS, TARGET_USAGE } from '../platform.ts'

const TIMEOUT_S = 9

export const doctor = defineCommand({
  name: 'doctor',
  usage: `streamforge doctor [options]

Exit code 0 when nothing is broken, warnings or not; 1 when something is. It changes nothing: it sends one event of a user of its own, and puts one object and removes it.

${TARGET_USAGE}
  --token TOKEN     of an edge elsewhere: what reads there (default: STREAMFORGE_TOKEN)
  --timeout SECONDS for all of it (default: ${TIMEOUT_S})
  --json            for programs

Of a platform elsewhere only the edge is seen, and what the environment names (DATABASE_URL, KAFKA_BROKERS, REDIS_URL …).`,
  async run(args, io) {
    const { values, positionals } = parseArguments(args, {
      ...TARGET_OPTIONS,
      token: { type: 'string' },
      timeout: { type: 'string', default: String(TIMEOUT_S) },
      json: { type: 'boolean', default: false },
    })
    if (positionals.length > 0) throw new UsageError(`doctor takes options only, not "${positionals[0]}".`)
    const timeoutMs = wholeNumber('--timeout', values.timeout, 1, 600) * 1000
    const place = await findPlace(values, io, timeoutMs)
    const { families, close } = await familiesOf(place)
    const results = await examine(families, {
      clock: io.clock,
      timeoutMs,
      ...(!values.json && { onResult: (result) => io.out(resultText(result)) }),
    }).finally(close)
    const isBroken = results.some(({ status }) => status === 'failed')
    if (values.json) io.out(`${JSON.stringify({ ok: !isBroken, edge_url: place.edgeUrl, results }, null, 2)}\n`)
    else io.out(summaryText(results))
    return isBroken ? 1 : 0
  },
})
