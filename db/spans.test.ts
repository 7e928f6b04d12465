import { SpanStatusCode, trace } from '@opentelemetry/api'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { CANCELLED, inSpan } from '../observability/spans.ts'
import { type RecordedSpans, recordSpans } from '../observability/testing/recorded-spans.ts'
import { queryRows, type SqlEngine, SqlError, type SqlPage, tracedEngine } from './lake/index.ts'
import { modelNamed } from './models/models.ts'
import { tracedModels } from './models/traced.ts'
import { postgresSpan } from './spans.ts'

let recorded: RecordedSpans
beforeAll(() => {
  recorded = recordSpans()
})
afterEach(() => recorded.reset())
afterAll(() => recorded.stop())

const names = () => recorded.spans().map(({ name }) => name)
const page = (...rows: number[]): SqlPage => ({
  columns: [{ name: 'n', type: 'INTEGER' }],
  rows: rows.map((n) => [n]),
  pinned: [],
})
const engineOf = (stream: SqlEngine['stream']): SqlEngine => tracedEngine({ name: 'duckdb', stream })
const twoPages = engineOf(async function* () {
  yield page(1, 2)
  yield page(3)
})

describe('spans of the stores', () => {
  it('are made under a span that is recorded, and under no other', async () => {
    expect((await queryRows(twoPages, 'SELECT 1')).rows).toHaveLength(3)
    await postgresSpan('read', 'open days', async () => {})
    expect(names()).toEqual([])
    await inSpan('activity', {}, () => postgresSpan('read', 'open days', async () => {}))
    expect(names()).toEqual(['read postgresql', 'activity'])
    expect(recorded.named('read postgresql').attributes).toEqual({
      'db.system.name': 'postgresql',
      'db.query.summary': 'open days',
    })
  })

  it('tell the name of a statement and how many rows it gave, and nothing of its text', async () => {
    const sql = "SELECT * FROM raw.orders WHERE user_id = 'somebody'"
    await inSpan('activity', {}, () => queryRows(twoPages, sql, { name: 'stg_orders rows' }))
    const { attributes, parentSpanContext } = recorded.named('sql duckdb')
    expect(attributes).toEqual({
      'db.system.name': 'duckdb',
      'db.query.summary': 'stg_orders rows',
      'db.response.returned_rows': 3,
    })
    expect(parentSpanContext?.spanId).toBe(recorded.named('activity').spanContext().spanId)
    expect(JSON.stringify(recorded.spans().map((span) => [span.name, span.attributes]))).not.toContain('somebody')
  })

  it('end where the reader breaks off', async () => {
    await inSpan('activity', {}, async () => {
      for await (const _ of twoPages.stream('SELECT 1')) break
    })
    expect(recorded.named('sql duckdb').attributes['db.response.returned_rows']).toBe(2)
  })

  it('are marked by an error, and told from those that were cancelled', async () => {
    const failing = (error: Error) => engineOf(() => failed(error))
    const run = (engine: SqlEngine) =>
      inSpan('activity', {}, () => queryRows(engine, 'SELECT 1')).catch((e: Error) => e)
    expect(await run(failing(new SqlError('FAILED', 'no such thing')))).toMatchObject({ message: 'no such thing' })
    expect(recorded.named('sql duckdb').status).toEqual({ code: SpanStatusCode.ERROR, message: 'no such thing' })
    recorded.reset()
    expect(await run(failing(new SqlError('CANCELLED', 'The query was cancelled.')))).toMatchObject({
      code: 'CANCELLED',
    })
    expect(recorded.named('sql duckdb')).toMatchObject({
      status: { code: SpanStatusCode.UNSET },
      attributes: { [CANCELLED]: true },
    })
  })

  it('are parents of what an engine does to build a model', async () => {
    const models = tracedModels({
      name: 'trino',
      async build() {
        expect(trace.getActiveSpan()?.isRecording()).toBe(true)
        return {} as never
      },
    })
    await inSpan('activity', {}, () => models.build(modelNamed('fact_trips'), { day: '2026-11-20' }))
    expect(recorded.named('sql trino').attributes).toEqual({
      'db.system.name': 'trino',
      'db.query.summary': 'fact_trips',
    })
  })
})

// biome-ignore lint/correctness/useYield: it fails before it has a page
async function* failed(error: Error): AsyncGenerator<SqlPage> {
  throw error
}
