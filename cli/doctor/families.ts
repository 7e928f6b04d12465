/** Every part that the doctor looks at, on one page: which checks there are depends on what is known of the platform from here. */
import { objectsSettings } from '../../db/objects/open.ts'
import { type Family, unseenFamily } from './check.ts'
import { journey } from './journey.ts'
import { lakeFamily } from './lake.ts'
import { machineFamily } from './machine.ts'
import { objectsFamily } from './objects.ts'
import type { Place } from './place.ts'
import { openDoctorsDatabase, postgresFamily } from './postgres.ts'
import { rolesFamily } from './roles.ts'
import { schemasFamily } from './schemas.ts'
import { streamsFamily } from './streams.ts'
import { tracingFamily } from './tracing.ts'
import { workflowsFamily } from './workflows.ts'

/** In the order of the way of an event, then what stands beside it. */
export async function familiesOf(place: Place): Promise<{ families: Family[]; close(): Promise<void> }> {
  const { config, isElsewhere } = place
  const url = config.databaseUrl?.reveal() ?? null
  const database = url === null ? null : openDoctorsDatabase(url, place.answerMs)
  // The folder of objects is known on the platform's machine only.
  const objects = isElsewhere && config.objectsUrl === '' ? null : objectsSettings(config)
  const families = [
    journey(place),
    streamsFamily(place, database?.sql ?? null),
    rolesFamily(place),
    await kafka(place),
    database === null || url === null ? unknown('postgres', 'DATABASE_URL') : postgresFamily(database.sql, url, place),
    await redis(place),
    schemasFamily(place),
    objects === null ? unknown('objects', 'STREAMFORGE_OBJECTS_URL') : objectsFamily(objects, place),
    database === null || objects === null
      ? unknown('lake', 'DATABASE_URL and STREAMFORGE_OBJECTS_URL')
      : lakeFamily(place, database.sql, objects),
    workflowsFamily(place),
    machineFamily(place),
    tracingFamily(place),
  ]
  // Several families share the connections to the database.
  return { families, close: async () => database?.close() }
}

const unknown = (part: string, variables: string): Family =>
  unseenFamily(part, `not seen from here: ${variables} would say where, with its password`)

/** Clients are loaded where they are needed. */
async function kafka({ config, platform }: Place): Promise<Family> {
  if (config.kafkaBrokers.length > 0) return (await import('./kafka.ts')).kafkaFamily(config)
  return platform === null
    ? unknown('kafka', 'KAFKA_BROKERS')
    : unseenFamily('kafka', 'the log is the embedded one: see "edge"')
}

async function redis(place: Place): Promise<Family> {
  const { config, platform } = place
  const { redisUrl, redisCluster: cluster } = config
  if (redisUrl !== null) return (await import('./redis.ts')).redisFamily({ url: redisUrl.reveal(), cluster }, place)
  return platform === null || platform.redis_url !== undefined
    ? unknown('redis', 'REDIS_URL')
    : unseenFamily('redis', 'the feature store is the embedded one: see "edge"')
}
