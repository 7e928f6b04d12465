/**
 * `npm run chaos`: the long forms of the proofs, on real servers, printed line by line. Each part is what a test of `npm test` does in short.
 * Exit code 1 when a part finds a difference; then the seed is told with which it may be found again.
 */
import { parseArgs } from 'node:util'
import { runBurst } from '../support/burst.ts'
import { platformEnvironment } from '../support/cluster-processes.ts'
import { cleanUp } from '../support/processes.ts'
import { REBUILD_MAX_S, runRebuild } from '../support/rebuild.ts'
import { FAULTS, type Fault } from './faults.ts'
import { runKills } from './kills.ts'
import { runPoison } from './poison.ts'
import { type ChaosServers, startServers } from './servers.ts'

const USAGE = `npm run chaos -- [PART…] [options]

Parts, all of them unless some are named:
  kills     random faults under load, one after the other; then the ledger must be right
            --kills N (1000)     ends after so many faults
            --seconds S (300)    or after so long, whichever is first
            --seed X             of the faults and their order (made up unless given)
            --fault TEXT         only those whose name has this in it
  rebuild   Redis emptied in the middle of a window: the features of every user are back and equal, a million within a minute
            --keys N (1000000)
  burst     ten times the load that the edge sustains: only 202, 429 and 503 are answered, memory is bounded, recovery within a minute
            --burst-seconds S (60)
  poison    what 1 % of records that nobody can read costs the rest; all of them must be dead letters with a reason
            --events N (300000)  of a round
`

interface Options {
  events: number
  keys: number
  burstSeconds: number
  kills: number
  seconds: number
  seed: number
  faults: readonly Fault[]
}

type Part = (
  servers: ChaosServers,
  options: Options,
  say: (line: string) => void,
  signal: AbortSignal,
) => Promise<unknown>

const PARTS: Record<string, Part> = {
  kills: (servers, options, say, signal) => runKills({ servers, ...options, say, signal }),
  async rebuild(servers, { keys }, say) {
    const env = await platformEnvironment({ ...servers, databaseUrl: await servers.emptyDatabase() })
    // Nobody is killed here, and a million keys are more work at a time than the kill tests' session of 2 s allows for on a busy machine.
    env.KAFKA_SESSION_TIMEOUT_MS = '15000'
    const { seconds } = await runRebuild(env, servers.redis.admin, { keys, processes: 2, timeoutMs: 300_000 })
    say(`rebuild: the features of ${keys} users are back and equal, ${seconds.toFixed(1)} s after FLUSHALL`)
    if (seconds > REBUILD_MAX_S) throw new Error(`that is more than ${REBUILD_MAX_S} s`)
  },
  poison: (servers, { events }, say) => runPoison(servers, events, say),
  async burst(servers, { burstSeconds }, say) {
    const env = await platformEnvironment({ ...servers, databaseUrl: await servers.emptyDatabase() })
    const { problems, lines } = await runBurst(env, burstSeconds)
    for (const line of lines) say(line)
    if (problems.length > 0) throw new Error(problems.join('\n'))
  },
}

const say = (line: string): void => void process.stdout.write(`${line}\n`)

function whole(name: string, text: string, min: number): number {
  const value = Number(text)
  if (Number.isSafeInteger(value) && value >= min) return value
  say(`--${name} must be a whole number from ${min} on, not "${text}".\n\n${USAGE}`)
  process.exit(2)
}

function parse(): { parts: string[]; options: Options } {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: {
        kills: { type: 'string', default: '1000' },
        seconds: { type: 'string', default: '300' },
        seed: { type: 'string', default: String(Date.now() % 1_000_000) },
        events: { type: 'string', default: '300000' },
        keys: { type: 'string', default: '1000000' },
        'burst-seconds': { type: 'string', default: '60' },
        fault: { type: 'string', default: '' },
        help: { type: 'boolean', default: false },
      },
    })
    const unknown = positionals.find((name) => !Object.hasOwn(PARTS, name))
    if (values.help || unknown !== undefined) {
      say(unknown === undefined ? USAGE : `There is no part "${unknown}".\n\n${USAGE}`)
      process.exit(values.help ? 0 : 2)
    }
    const options = {
      kills: whole('kills', values.kills, 0),
      seconds: whole('seconds', values.seconds, 1),
      seed: whole('seed', values.seed, 0),
      events: whole('events', values.events, 1_000),
      keys: whole('keys', values.keys, 1),
      burstSeconds: whole('burst-seconds', values['burst-seconds'], 1),
      faults: FAULTS.filter(({ name }) => name.includes(values.fault)),
    }
    if (options.faults.length === 0) {
      say(`No fault has "${values.fault}" in its name. There are:\n${FAULTS.map(({ name }) => `  ${name}`).join('\n')}`)
      process.exit(2)
    }
    return { parts: positionals.length > 0 ? positionals : Object.keys(PARTS), options }
  } catch (error) {
    say(`${(error as Error).message}\n\n${USAGE}`)
    process.exit(2)
  }
}

async function main(): Promise<void> {
  const { parts, options } = parse()
  const stop = new AbortController()
  // Once: what runs is brought to its end and checked. Twice: everything is ended.
  process.once('SIGINT', () => {
    stop.abort()
    process.once('SIGINT', () => process.exit(130))
  })
  for (const part of parts) {
    if (stop.signal.aborted) break
    say(`— ${part}, seed ${options.seed}`)
    const servers = await startServers(say)
    try {
      await PARTS[part]!(servers, options, say, stop.signal)
    } catch (error) {
      say(`${part} FAILED: ${(error as Error).stack}\nAgain with: npm run chaos -- ${part} --seed ${options.seed}`)
      process.exitCode = 1
    } finally {
      await cleanUp()
      await servers.close()
    }
  }
}

await main()
