/** The processes of the platform on this machine: each answers, serves metrics that can be read, and is of the same version as the others. */
import { counted } from '../human.ts'
import type { RoleProcess } from '../processes.ts'
import { version } from '../version.ts'
import { ask } from './ask.ts'
import { Broken, type Check, type Family, ok, unseen, unseenFamily, warning } from './check.ts'
import { dataOf, get } from './edge-api.ts'
import type { Place } from './place.ts'

export function rolesFamily(place: Place): Family {
  const { processes, isElsewhere } = place
  if (isElsewhere) return unseenFamily('roles', 'processes are seen on their own machine only')
  const others = processes.filter(({ role }) => role !== 'edge')
  return {
    part: 'roles',
    checks: [...others.map((each) => answers(each, place)), metrics(place), versions(place)],
  }
}

const answers = ({ role, pid, url }: RoleProcess, place: Place): Check => ({
  name: `${role} (process ${pid}) is well`,
  matters: 'What it does, others of its kind must do, or nobody does.',
  remedy: 'Its log says why. A process that hangs may be ended: it recovers from its last checkpoint or commit.',
  async run() {
    if (url === null) return unseen('it serves no health page (--metrics-port off)')
    const response = await ask(`${url}/health`, place, { at: url })
    const { status = 'unknown' } = await dataOf<{ status: string }>(response)
    if (status === 'stuck') throw new Broken(`It has made no progress for half a minute: see ${url}/health.`)
    return ok(`${url} ${status}`)
  },
})

/** What Prometheus is to scrape: the edge, and every process that has a page. */
function metrics(place: Place): Check {
  const served = [place.edgeUrl, ...place.processes.flatMap(({ url }) => url ?? [])]
  const pages = [...new Set(served)].map((url) => `${url}/metrics`)
  return {
    name: 'metrics can be scraped',
    matters: 'What Prometheus can not read it can not alert on.',
    remedy: 'STREAMFORGE_METRICS_PORT says where a role serves them; STREAMFORGE_HOST, on which address.',
    async run() {
      for (const page of pages) {
        const text = await (await ask(page, place)).text()
        if (!/^streamforge_/m.test(text)) throw new Broken(`${page} has no metric of ours.`)
      }
      return ok(counted(pages.length, 'page'))
    },
  }
}

function versions(place: Place): Check {
  return {
    name: 'all are of one version',
    matters:
      'Versions side by side are for the minutes of an upgrade: an older process does not know what newer ones write.',
    remedy: 'Finish the upgrade: docs/operations/upgrade.md has the order of the roles.',
    async run() {
      const edge = (await dataOf<{ version: string }>(await get(place, '/health'))).version ?? 'unknown'
      const told = [
        `edge ${edge}`,
        ...place.processes.flatMap(({ role, version: of }) => (of === null ? [] : [`${role} ${of}`])),
        `this command ${version()}`,
      ]
      const found = new Set(told.map((each) => each.slice(each.lastIndexOf(' ') + 1)))
      return found.size > 1 ? warning(`${[...new Set(told)].join(', ')}.`) : ok(edge)
    },
  }
}
