/**
 * `/dead-letters`: the quarantine. What no reader could apply, by cause, one by one with its bytes and its trace; and the way back, with a fix where one is needed, tried first where
 * that is asked for.
 */
import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi'
import type { Context } from 'hono'
import { decodeCursor, toPage } from '../../db/postgres/queries/cursor.ts'
import { spanContextOf } from '../../observability/spans.ts'
import { RegistryUnavailable } from '../../streams/contract/codec.ts'
import { toIso } from '../../streams/contract/time-text.ts'
import {
  BadFix,
  type Cause,
  type DeadLetter,
  type FoundLetter,
  placeOf,
  type ReplayOutcome,
  type ReplayReport,
} from '../../streams/dead-letters/index.ts'
import { LogUnavailable } from '../../streams/log/event-log.ts'
import { identityOf } from '../auth/guard.ts'
import type { AuditStore, Clock, Quarantine } from '../ports.ts'
import { Problem, retryAfter } from '../problem.ts'
import { smallBody } from '../small-body.ts'
import { atOnce } from './at-once.ts'
import { enveloped, metaOf, paged, problems } from './envelope.ts'
import { cursor, idParam, limit, noQuery, query } from './params.ts'
import { traceUrlOf } from './trace-url.ts'

export interface DeadLettersDeps {
  quarantine: Quarantine
  /** The `dlq.` topics there are. */
  topics: readonly string[]
  audit: Pick<AuditStore, 'record'>
  traceUrl: string | null
  clock: Pick<Clock, 'now'>
  clientAddress: (c: Context) => string
}

/** Each reads the topics of dead letters from their beginning, or a good part of them. */
const AT_ONCE_MAX = 2
const IDS_MAX = 500
const REPLAY_MAX = 10_000
/** A schema or a mapping of hundreds of fields. */
const BODY_MAX = 128 * 1024

const iso = z.iso.datetime()
const source = z
  .object({ topic: z.string(), partition: z.number().int(), offset: z.number().int(), accepted_at: iso })
  .describe('Where the record first lay')
const cause = z
  .object({
    group: z.string().nullable().describe('Names the group; null: what is left where there are too many'),
    topic: z.string().describe('Where the records came from'),
    reason: z.string().openapi({ example: 'unknown_schema' }),
    message: z.string().describe('What the messages have in common: numbers as N, quotations as "…"'),
    letters: z.number().int(),
    replayed: z.number().int().describe('Of these'),
    first_at: iso,
    last_at: iso,
    example: z.string().describe('Id of the newest letter'),
  })
  .openapi('DeadLetterCause')
const letter = z
  .object({
    id: z.string().openapi({ example: 'dlq.transactions.orders:0:17' }),
    died_at: iso,
    reason: z.string(),
    message: z.string(),
    source,
    key: z.string().nullable(),
    replayed: z.boolean(),
    trace_id: z.string().nullable(),
  })
  .openapi('DeadLetter')
const detail = letter
  .extend({
    group: z.string(),
    headers: z.record(z.string(), z.string()).describe("The record's own"),
    bytes: z.number().int().describe('Of the value as it was kept'),
    cut_from_bytes: z.number().int().nullable().describe('Its length, where only the beginning was kept'),
    format: z.string().openapi({ example: 'Avro by schema 3' }),
    value: z.string().describe('For people: JSON, text, or a hexadecimal dump; its beginning where it is long'),
    value_base64: z.string().describe('The bytes as they are; the first 64 KB'),
    trace_url: z.string().nullable().describe('The trace of the request, where STREAMFORGE_TRACE_URL says how'),
  })
  .openapi('DeadLetterDetail')
const report = z
  .object({
    dry_run: z.boolean(),
    replayed: z.number().int().describe('Went back; in a dry run, would go back'),
    replayed_before: z.number().int().describe('Of these nothing was done'),
    refused: z.number().int().describe('Still can not be read'),
    more: z.boolean().describe('The limit ended it: the same request goes on from there'),
    missing: z.array(z.string()).describe('Ids that are none, or no more'),
    examples: z
      .array(
        z.object({
          id: z.string(),
          outcome: z.enum(['replayed', 'replayed_before', 'refused']),
          reason: z.string().nullable(),
          message: z.string().nullable(),
          event: z.record(z.string(), z.unknown()).nullable().describe('What goes back, or would'),
          to: z
            .object({ topic: z.string(), partition: z.number().int(), offset: z.number().int() })
            .nullable()
            .describe('Where it lies now'),
        }),
      )
      .describe('A few of each outcome'),
  })
  .openapi('ReplayReport')

const SHOWN_BYTES = 64 * 1024
const group = idParam('A group, as `GET /dead-letters/causes` names it')
const ids = z.array(idParam('A letter')).min(1).max(IDS_MAX)
/** How letters are tried, whichever they are. */
const how = {
  dry_run: z.boolean().default(false),
  limit: z.number().int().min(1).max(REPLAY_MAX).default(1_000).describe('Of letters, oldest first'),
  fix: z
    .strictObject({
      schema: z
        .union([z.record(z.string(), z.unknown()), z.array(z.unknown())])
        .optional()
        .describe('The Avro schema that the values were written with, whatever id they name'),
      mapping: z
        .union([z.string().min(1).max(100), z.record(z.string(), z.unknown())])
        .optional()
        .describe('A preset’s name, or a mapping as imports take it: from what the values say to an event'),
    })
    .optional(),
}
const tags = ['Dead letters']
const route = {
  causes: createRoute({
    method: 'get',
    path: '/dead-letters/causes',
    tags,
    summary: 'What died of what',
    description:
      'Records that no reader could apply, grouped by where they came from and what they died of. Of each topic the newest 50,000 are looked at; `streamforge dlq list` looks at all.',
    request: { query: noQuery },
    responses: { 200: enveloped(z.array(cause), 'Most letters first'), ...problems(400, 401, 503) },
  }),
  list: createRoute({
    method: 'get',
    path: '/dead-letters',
    tags,
    summary: 'Dead letters, newest first',
    request: { query: query({ group: group.optional(), limit: limit(200, 50), cursor }) },
    responses: { 200: paged(letter, 'Newest first'), ...problems(400, 401, 503) },
  }),
  one: createRoute({
    method: 'get',
    path: '/dead-letters/{id}',
    tags,
    summary: 'One dead letter: why it died, its bytes, its trace',
    request: { params: z.object({ id: idParam('<topic>:<partition>:<offset>') }) },
    responses: { 200: enveloped(detail, 'The letter'), ...problems(400, 401, 404, 503) },
  }),
  replay: createRoute({
    method: 'post',
    // Not below /dead-letters, where every name is the id of a letter.
    path: '/dead-letter-replays',
    tags,
    summary: 'Try dead letters again, and bring back those that can be read',
    description:
      'A letter that was replayed is not replayed again, and an event that is in the results already is a duplicate. Without `fix` the present decoder tries: that is enough where a schema was registered meanwhile. With `dry_run` nothing is changed.',
    middleware: [smallBody(BODY_MAX)],
    request: {
      query: noQuery,
      body: {
        required: true,
        content: {
          'application/json': {
            schema: z
              .strictObject({
                group: group.optional(),
                ids: ids.optional().describe('Either these, or the letters of a group'),
                ...how,
              })
              .openapi('DeadLetterReplay'),
          },
        },
      },
    },
    responses: { 200: enveloped(report, 'What went back'), ...problems(400, 401, 403, 413, 415, 503) },
  }),
}

export function addDeadLetterRoutes(api: OpenAPIHono, deps: DeadLettersDeps): void {
  const { quarantine, topics, audit, traceUrl, clock } = deps
  const oneOfFew = atOnce(AT_ONCE_MAX, 'The dead letters are being looked through for others. Ask again in a moment.')
  const inTurn = <R>(work: () => Promise<R>): Promise<R> =>
    oneOfFew(work).catch((error: unknown) => {
      if (!(error instanceof LogUnavailable || error instanceof RegistryUnavailable)) throw error
      const detail = `The dead letters can not be reached now: ${error.message} Ask again in a moment.`
      throw new Problem('unavailable', detail, { headers: retryAfter(2), cause: error })
    })
  const meta = () => metaOf(clock.now())
  /** Whether it names a letter, and not a record of another topic. */
  const isOurs = (id: string): boolean => topics.some((topic) => id.startsWith(`${topic}:`))

  api.openapi(route.causes, async (c) => {
    const { causes } = await inTurn(() => quarantine.causes(topics))
    return c.json({ data: causes.map(causeOf), meta: meta() }, 200)
  })

  api.openapi(route.list, async (c) => {
    const asked = c.req.valid('query')
    const before = asked.cursor === undefined ? null : decodeCursor(asked.cursor)
    const found = await inTurn(() =>
      quarantine.letters({ topics, group: asked.group }, { limit: asked.limit + 1, before }),
    )
    const { items, next } = toPage(found, asked.limit, ({ letter }) => placeOf(letter))
    return c.json({ data: items.map(letterOf), meta: { ...meta(), next_cursor: next } }, 200)
  })

  api.openapi(route.one, async (c) => {
    const { id } = c.req.valid('param')
    const found = isOurs(id) ? await inTurn(() => quarantine.letter(id)) : null
    if (!found) throw new Problem('not_found', `There is no dead letter "${id}", or retention has removed it.`)
    const { letter, value } = found
    const shown = letterOf(found)
    return c.json(
      {
        data: {
          ...shown,
          group: found.group,
          headers: letter.headers,
          bytes: letter.value.length,
          cut_from_bytes: letter.cutFromBytes,
          format: value.format,
          value: value.text,
          value_base64: letter.value.subarray(0, SHOWN_BYTES).toString('base64'),
          trace_url: traceUrlOf(traceUrl, shown.trace_id),
        },
        meta: meta(),
      },
      200,
    )
  })

  api.openapi(route.replay, async (c) => {
    const { group, ids, dry_run, limit, fix } = c.req.valid('json')
    if ((group === undefined) === (ids === undefined))
      throw new Problem('invalid_parameter', 'Name a group or ids: either what died of one cause, or single letters.')
    const which = ids ? { ids: ids.filter(isOurs) } : { topics, group: group! }
    const asked = { which, fix: fix ?? null, dryRun: dry_run, limit }
    const found = await inTurn(() => quarantine.replay(asked)).catch(refuseBadFix)
    if (!dry_run && found.replayed > 0)
      await audit.record({
        at: clock.now(),
        by: { username: identityOf(c).username, address: deps.clientAddress(c) },
        action: 'dead_letters.replay',
        target: group ?? `${ids!.length} letters`,
        detail: { replayed: found.replayed, refused: found.refused, fixed_by: fix ? Object.keys(fix).sort() : null },
      })
    const strangers = (ids ?? []).filter((id) => !isOurs(id))
    return c.json(
      { data: reportOf({ ...found, missing: [...found.missing, ...strangers] }, dry_run), meta: meta() },
      200,
    )
  })
}

function refuseBadFix(error: unknown): never {
  if (error instanceof BadFix) throw new Problem('invalid_parameter', `fix: ${error.message}`)
  throw error
}

const causeOf = ({ id, topic, reason, message, letters, replayed, firstMs, lastMs, example }: Cause) => ({
  group: id,
  topic,
  reason,
  message,
  letters,
  replayed,
  first_at: toIso(firstMs),
  last_at: toIso(lastMs),
  example,
})

const traceIdOf = ({ headers }: DeadLetter): string | null => spanContextOf(headers.traceparent)?.traceId ?? null

function letterOf({ letter, replayed }: FoundLetter) {
  const { id, diedAtMs, reason, message, source, key } = letter
  const { topic, partition, offset, appendedAtMs } = source
  return {
    id,
    died_at: toIso(diedAtMs),
    reason,
    message,
    source: { topic, partition, offset, accepted_at: toIso(appendedAtMs) },
    key,
    replayed,
    trace_id: traceIdOf(letter),
  }
}

const reportOf = ({ replayed, replayedBefore, refused, more, missing, examples }: ReplayReport, dry_run: boolean) => ({
  dry_run,
  replayed,
  replayed_before: replayedBefore,
  refused,
  more,
  missing,
  examples: examples.map(exampleOf),
})

const exampleOf = (result: ReplayOutcome) => ({
  id: result.letter.id,
  outcome: result.outcome,
  reason: result.outcome === 'refused' ? result.reason : null,
  message: result.outcome === 'refused' ? result.message : null,
  event: result.outcome === 'replayed' ? { ...result.event } : null,
  to: result.outcome === 'replayed' ? result.to : null,
})
