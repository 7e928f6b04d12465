/** The schema registry: reachable, and with a schema for each topic that clients fill. Reads only. */
import { subjectOf } from '../../streams/contract/avro.ts'
import { INPUT_TOPICS } from '../../streams/contract/topics.ts'
import { registryAddress } from '../../streams/log/registry-address.ts'
import { counted } from '../human.ts'
import { ask } from './ask.ts'
import { Broken, type Family, ok, unseen } from './check.ts'
import type { Place } from './place.ts'

export function schemasFamily(
  place: Pick<Place, 'edgeUrl' | 'token' | 'answerMs'> & { config: Pick<Place['config'], 'schemaRegistryUrl'> },
): Family {
  const { config, edgeUrl, token } = place
  const given = config.schemaRegistryUrl?.reveal()
  const address = registryAddress(given ?? `${edgeUrl}/schema-registry`)
  const { base } = address
  const headers = given === undefined ? { authorization: `Bearer ${token}` } : address.headers
  return {
    part: 'schemas',
    checks: [
      {
        name: 'the registry has the schemas of all topics',
        matters: 'A record whose schema is not known can not be read: readers wait, or put it aside.',
        remedy:
          'Is it running, and does SCHEMA_REGISTRY_URL say where and with which password? "streamforge schemas" lists what it has; the edge registers its own at the start.',
        async run() {
          const response = await ask(`${base}/subjects`, place, { at: base, headers })
          if (given === undefined && response.status === 404)
            return unseen('the edge serves no registry: SCHEMA_REGISTRY_URL would say where it is')
          if (!response.ok) throw new Broken(`GET ${base}/subjects answered ${response.status}.`)
          const subjects = new Set((await response.json()) as string[])
          const missing = INPUT_TOPICS.map((topic) => subjectOf(topic)).filter((subject) => !subjects.has(subject))
          if (missing.length > 0) throw new Broken(`There is no ${missing.join(', ')} at ${base}.`)
          return ok(counted(subjects.size, 'subject'))
        },
      },
    ],
  }
}
