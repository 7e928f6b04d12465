/** `GET /events/{event_id}/status`: what became of an event, an order or a trip. Found without an index of ids (streams/evidence), so bounded, and with an account of where it was looked. */
import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi'
import { toIso } from '../../streams/contract/time-text.ts'
import { CLICKSTREAM, INPUT_TOPICS, type InputTopic, ORDERS, TRIPS } from '../../streams/contract/topics.ts'
import type { EventTrail, RecordTrail } from '../../streams/evidence/index.ts'
import type { Clock, EventTracer } from '../ports.ts'
import { Problem } from '../problem.ts'
import { atOnce } from './at-once.ts'
import { enveloped, metaOf, problems } from './envelope.ts'
import { idParam, query, time } from './params.ts'

export interface EventStatusDeps {
  tracer: EventTracer
  clock: Pick<Clock, 'now'>
}

/** Each reads the log's end and asks the lake. */
const AT_ONCE_MAX = 2
const TYPES = { event: CLICKSTREAM, order: ORDERS, trip: TRIPS } as const satisfies Record<string, InputTopic>
const STATUSES = [
  'accepted',
  'applied',
  'late',
  'duplicate',
  'dead_letter',
  'imported',
] as const satisfies readonly RecordTrail['status'][]
const OUTCOMES = [
  'pending',
  'applied',
  'late',
  'duplicate',
  'dead_letter',
  'imported',
] as const satisfies readonly RecordTrail['jobs'][number]['outcome'][]

const position = z.object({ topic: z.string(), partition: z.number().int(), offset: z.number().int() })
const record = position.extend({
  status: z.enum(STATUSES),
  event_time: z.iso.datetime().nullable().describe('null: nobody can read the record'),
  accepted_at: z.iso.datetime().describe('When the log took it'),
  duplicate_of: position.nullable().describe('The first record of this event'),
  jobs: z
    .array(z.object({ job: z.string(), outcome: z.enum(OUTCOMES) }))
    .describe("`pending`: not yet read; `applied`: it is in the job's results, as far as it concerns the job"),
  lake: z
    .object({ table: z.string(), snapshot_id: z.string(), committed_at: z.iso.datetime() })
    .nullable()
    .describe('The first snapshot that has it, of those that have not expired; null: not yet, or not known'),
})
const status = z
  .object({
    event_id: z.string(),
    status: z
      .enum(STATUSES)
      .describe(
        'Of its first record. `accepted`: in the log, and not all jobs have read it; `applied`: all have; `late`: too late for some job; `dead_letter`: it could not be read; `imported`: from a file, past the jobs',
      ),
    duplicates: z
      .number()
      .int()
      .describe(
        'Further records of the same event. The streams skip those that come within ten minutes; the batch layer counts each event once however late its copies come',
      ),
    records: z.array(record).describe('The earliest first; an order has one for each status'),
    looked_in: z.array(z.string()),
    not_looked_in: z.array(z.string()).describe('Where further records may be'),
  })
  .openapi('EventStatus')

const route = createRoute({
  method: 'get',
  path: '/events/{event_id}/status',
  tags: ['Events'],
  summary:
    'What became of an event: accepted, applied by which jobs, late, duplicate, dead letter, in which snapshot of the lake',
  description:
    'Ids have no index: the end of the log is read, and one column of the lake. `type` and `at` make that less. An event that was refused is not here; the answer to the request that brought it said why.',
  request: {
    params: z.object({ event_id: idParam('event_id, order_id or trip_id') }),
    query: query({
      type: z
        .enum(Object.keys(TYPES) as [keyof typeof TYPES, ...(keyof typeof TYPES)[]])
        .optional()
        .openapi({ description: 'What it is; all are looked through when missing' }),
      at: time('About when it happened: of the lake only a day before and after are then looked at').optional(),
    }),
  },
  responses: { 200: enveloped(status, 'What is known of it'), ...problems(400, 401, 404, 503) },
})

export function addEventStatusRoute(api: OpenAPIHono, { tracer, clock }: EventStatusDeps): void {
  const inTurn = atOnce(AT_ONCE_MAX, 'Too many events are being looked for. Ask again in a moment.')
  api.openapi(route, async (c) => {
    const { event_id } = c.req.valid('param')
    const { type, at } = c.req.valid('query')
    const topics = type ? [TYPES[type]] : INPUT_TOPICS
    const trail = await inTurn(() => tracer.trace({ id: event_id, topics, atMs: at ?? null }))
    if (trail.records.length === 0) throw notFound(event_id, trail)
    return c.json({ data: statusOf(event_id, trail), meta: metaOf(clock.now()) }, 200)
  })
}

function notFound(id: string, { looked, missing }: EventTrail): Problem {
  const beside = missing.length > 0 ? ` Not looked at: ${missing.slice(0, 5).join('; ')}.` : ''
  return new Problem('not_found', `No record of "${id}" was found. Looked at: ${looked.join('; ')}.${beside}`, {
    members: { looked_in: looked, not_looked_in: missing },
  })
}

const statusOf = (event_id: string, { records, looked, missing }: EventTrail) => ({
  event_id,
  status: records[0]!.status,
  duplicates: records.filter(({ duplicateOf }) => duplicateOf !== null).length,
  records: records.map((each) => ({
    topic: each.topic,
    partition: each.partition,
    offset: each.offset,
    status: each.status,
    event_time: each.eventTimeMs === null ? null : toIso(each.eventTimeMs),
    accepted_at: toIso(each.appendedAtMs),
    duplicate_of: each.duplicateOf,
    jobs: each.jobs,
    lake: each.lake && {
      table: each.lake.table,
      snapshot_id: each.lake.snapshotId,
      committed_at: toIso(each.lake.committedMs),
    },
  })),
  looked_in: looked,
  not_looked_in: missing,
})
