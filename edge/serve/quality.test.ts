/** What the checks of a day found, by HTTP. */
import { expect, test } from 'vitest'
import type { QualityReport } from '../ports.ts'
import { createHarness, NOW, sampleReader } from '../testing/harness.ts'

const body = async (response: Response) => (await response.json()) as { data: never; meta: never; detail: string }

const report = (changes: Partial<QualityReport> = {}): QualityReport => ({
  id: 'r-1/staging',
  day: '2026-01-30',
  stage: 'staging',
  outcome: 'passed',
  passed: 1,
  warned: 0,
  failed: 0,
  skipped: 0,
  engine: 'duckdb',
  workflow_id: 'validateQuality:2026-01-30',
  workflow_run_id: 'r-1',
  started_at: NOW - 2_000,
  finished_at: NOW - 1_000,
  results: [
    {
      check_name: 'stg_orders.unique.order_id',
      table_name: 'analytics.stg_orders',
      kind: 'unique',
      severity: 'error',
      outcome: 'passed',
      observed: 0,
      expected: '0 rows that repeat order_id',
      reason: 'There is one row of order_id.',
      sample: [],
      duration_ms: 12,
    },
  ],
  ...changes,
})

test('the latest run of each stage, with every check; one failed gate makes the day a failed one', async () => {
  const asked: unknown[] = []
  const edge = await createHarness({
    reader: sampleReader({
      latestQuality: async (question) => {
        asked.push(question)
        return [report(), report({ stage: 'facts', outcome: 'failed', failed: 1 })]
      },
    }),
  })
  for (const path of ['/quality/latest', '/api/v1/quality/latest']) {
    const { data, meta } = await body(await edge.get(path))
    expect(meta).toMatchObject({ generated_at: '2026-01-31T12:00:00.000Z' })
    expect(data).toMatchObject({ date: '2026-01-30', status: 'failed' })
    expect((data as { runs: unknown[] }).runs).toEqual([
      {
        stage: 'staging',
        status: 'passed',
        passed: 1,
        warned: 0,
        failed: 0,
        skipped: 0,
        engine: 'duckdb',
        workflow_id: 'validateQuality:2026-01-30',
        workflow_run_id: 'r-1',
        started_at: '2026-01-31T11:59:58.000Z',
        finished_at: '2026-01-31T11:59:59.000Z',
        checks: [
          {
            check: 'stg_orders.unique.order_id',
            table: 'analytics.stg_orders',
            kind: 'unique',
            severity: 'error',
            status: 'passed',
            observed: 0,
            expected: '0 rows that repeat order_id',
            reason: 'There is one row of order_id.',
            sample: [],
            duration_ms: 12,
          },
        ],
      },
      expect.objectContaining({ stage: 'facts', status: 'failed', failed: 1 }),
    ])
  }
  await edge.get('/quality/latest?date=2026-01-30&stage=facts')
  expect(asked.at(-1)).toEqual({ day: '2026-01-30', stage: 'facts' })
})

test('nothing checked yet is an answer; what can not be asked names the parameter', async () => {
  const edge = await createHarness()
  expect(await body(await edge.get('/quality/latest'))).toMatchObject({
    data: { date: null, status: 'none', runs: [] },
  })
  expect(await body(await edge.get('/quality/latest?date=2026-01-01'))).toMatchObject({
    data: { date: '2026-01-01', status: 'none' },
  })
  for (const [path, detail] of [
    ['/quality/latest?date=2026-02-30', /^date: expected a day such as/],
    ['/quality/latest?stage=marts', /^stage: /],
    ['/quality/history', /^check: /],
  ] as const) {
    const response = await edge.get(path)
    expect(response.status).toBe(400)
    expect((await body(response)).detail).toMatch(detail)
  }
})

test('the history of a check, as many runs as asked for', async () => {
  const asked: unknown[] = []
  const { day, finished_at, workflow_id, workflow_run_id } = report()
  const edge = await createHarness({
    reader: sampleReader({
      checkHistory: async (question) => {
        asked.push(question)
        const point = {
          day,
          finished_at,
          workflow_id,
          workflow_run_id,
          outcome: 'failed' as const,
          observed: 3,
          expected: '0 rows',
        }
        return { items: [point], next: 'more' }
      },
    }),
  })
  const { data, meta } = await body(await edge.get('/quality/history?check=a.b&limit=5&cursor=c'))
  expect(meta).toMatchObject({ next_cursor: 'more' })
  expect(data).toEqual([
    {
      date: '2026-01-30',
      finished_at: '2026-01-31T11:59:59.000Z',
      status: 'failed',
      observed: 3,
      expected: '0 rows',
      workflow_id: 'validateQuality:2026-01-30',
      workflow_run_id: 'r-1',
    },
  ])
  expect(asked).toEqual([{ check: 'a.b', limit: 5, cursor: 'c' }])
})
