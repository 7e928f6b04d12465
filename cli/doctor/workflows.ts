/** The batch workflows: Temporal answers, somebody works for it, its schedules are there, and none has failed. Reads only. */
import type { TemporalClient } from '../../workflows/client.ts'
import { counted } from '../human.ts'
import { Broken, type Check, type Family, type Finding, ok, unseen, unseenFamily, warning } from './check.ts'
import { dataOf, get } from './edge-api.ts'
import type { Place } from './place.ts'

const POLL_MS = 200
const PART = 'workflows'

export function workflowsFamily(place: Place): Family {
  const { config, platform, clock, isElsewhere } = place
  const { state, problem = '' } = platform?.workflows ?? {}
  if (state === 'off') return unseenFamily(PART, 'off (STREAMFORGE_WORKFLOWS)')
  if (state === 'building')
    return unseenFamily(PART, 'Temporal is being fetched or built, once; ask again in some minutes')
  if (state === 'missing' || state === 'failed') return notRunning(problem)
  if (config.temporalAddress === '')
    return isElsewhere
      ? { part: PART, checks: [runs(place)] }
      : unseenFamily(PART, 'no Temporal is known here (TEMPORAL_ADDRESS)')
  const target = { address: config.temporalAddress, namespace: config.temporalNamespace }
  const queue = config.temporalTaskQueue
  const temporal = openedOnce(target)
  return {
    part: PART,
    close: temporal.close,
    checks: [
      {
        name: `Temporal answers at ${target.address}`,
        matters: 'No batch workflow starts or goes on; ingestion and live results do.',
        remedy:
          'One that the platform has started is started again when it ends; its messages are in temporal/server.log in the data folder. One of yours: TEMPORAL_ADDRESS and TEMPORAL_NAMESPACE.',
        gate: true,
        async run() {
          const client = await temporal.client()
          await client.workflowService.describeNamespace({ namespace: target.namespace }).catch((error: Error) => {
            throw new Broken(`It has no namespace "${target.namespace}", or does not show it: ${error.message}`)
          })
          return ok(`namespace ${target.namespace}${config.temporalUiUrl === '' ? '' : `, ${config.temporalUiUrl}`}`)
        },
      },
      {
        name: `a worker waits for work on the queue ${queue}`,
        matters: 'Workflows that are started wait for one.',
        remedy: '"streamforge worker" is one; where it runs, it tells how it is at its /health.',
        async run() {
          const { pollersOf } = await import('../../workflows/pollers.ts')
          for (;;) {
            // One that has just started is seen when it asks next: the doctor's deadline ends the waiting.
            const pollers = await pollersOf(await temporal.client(), queue, clock.now())
            if (pollers.length > 0) return ok(pollers.join(', '))
            await clock.sleep(POLL_MS)
          }
        },
      },
      {
        name: 'its schedules are there and not paused',
        matters: 'What is paused or missing does not run by itself: no daily figures, no upkeep of the lake.',
        remedy:
          'A worker makes them when it starts. "streamforge schedules ls" lists them, "streamforge schedules resume ID" lets one go on.',
        run: async () => schedulesFinding(await temporal.client(), queue),
      },
      runs(place),
    ],
  }
}

function notRunning(problem: string): Family {
  return {
    part: PART,
    checks: [
      {
        name: 'they run',
        matters: 'There are no daily figures, no reconciliation and no upkeep of the lake.',
        remedy: 'Everything else runs without them; STREAMFORGE_WORKFLOWS=off says that this is meant.',
        run: () => Promise.reject(new Broken(problem)),
      },
    ],
  }
}

async function schedulesFinding(client: TemporalClient, taskQueue: string): Promise<Finding> {
  const { allSchedules } = await import('../commands/schedules/find.ts')
  const found = await allSchedules({ client, taskQueue })
  if (found.length === 0) return warning(`The queue ${taskQueue} has none.`)
  const paused = found.filter(({ held }) => held.state.paused)
  const names = paused.map(({ handle }) => handle.scheduleId).join(', ')
  return paused.length > 0 ? warning(`Paused: ${names}.`) : ok(counted(found.length, 'schedule'))
}

/** As the edge judges them from the workers' copies of the runs. */
function runs(place: Place): Check {
  return {
    name: 'scheduled runs succeed',
    matters: 'What fails is missing: a day of figures, a comparison with the lake, an upkeep.',
    remedy:
      'The dashboard\'s "Batch pipelines" has the reason and a link to the run; "streamforge schedules trigger ID" tries again.',
    async run() {
      const { problems, workflows } = await dataOf<{ problems: string[]; workflows: unknown[] }>(
        await get(place, '/api/v1/health/pipelines'),
      )
      if (problems === undefined) return unseen('the edge does not tell: see "streams"')
      if (problems.length > 0) return warning(problems.join(' '))
      return workflows?.length ? ok(counted(workflows.length, 'workflow')) : unseen('no run has been told of yet')
    },
  }
}

/** The client takes a second to load, so only who needs it does. */
function openedOnce(target: { address: string; namespace: string }) {
  let opening: Promise<TemporalClient> | null = null
  return {
    client: (): Promise<TemporalClient> =>
      (opening ??= import('../../workflows/client.ts').then(({ connectTemporal }) => connectTemporal(target))),
    close: async () => {
      const client = await opening?.catch(() => null)
      await client?.close()
    },
  }
}
