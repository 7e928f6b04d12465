/** The reconciliation that the API tells of: as it was stored, in the API's own units. */
import { expect, it } from 'vitest'
import type { Reconciled } from '../ports.ts'
import { createHarness, NOW, sampleReader } from '../testing/harness.ts'

const body = async (response: Response) => (await response.json()) as { data: never }

const found: Reconciled = {
  id: 'run-1',
  from_at: NOW - 86_400_000,
  to_at: NOW,
  outcome: 'incident',
  message: '1 difference has no explanation',
  compared: { revenue_by_minute: { rows: 10, missing: 0, extra: 0, changed: 1 } },
  explained: { late: { records: 2, minor: { TRY: 12_345, JPY: -500 } } },
  unexplained: 1,
  unexplained_minor: { TRY: 1 },
  open_partitions: ['transactions.orders-2'],
  records: 1_000,
  workflow_id: 'reconcile:2026-01-30',
  workflow_run_id: 'run-1',
  started_at: NOW - 1_000,
  finished_at: NOW,
  differences: [
    {
      explained: false,
      table_name: 'revenue_by_minute',
      cause: 'changed',
      key: { window_start: NOW, category: 'home', currency: 'TRY', partition: 0 },
      message: 'The live row is not the one that the jobs make of the lake.',
      records: 0,
      minor: { TRY: 1 },
      live: { revenue_minor: 101 },
      expected: { revenue_minor: 100 },
      sample: [],
    },
  ],
}

it('is given with what explains it and what nothing explains', async () => {
  const edge = await createHarness({ reader: sampleReader({ latestReconciliation: async () => found }) })
  for (const path of ['/reconciliation/latest', '/api/v1/reconciliation/latest'])
    expect((await body(await edge.get(path))).data).toMatchObject({
      status: 'incident',
      reconciliation: {
        to: new Date(NOW).toISOString(),
        explained: [
          {
            cause: 'late',
            records: 2,
            amounts: [
              { currency: 'JPY', amount: -500 },
              { currency: 'TRY', amount: 123.45 },
            ],
          },
        ],
        unexplained: { differences: 1, amounts: [{ currency: 'TRY', amount: 0.01 }] },
        open_partitions: ['transactions.orders-2'],
        differences: [{ table: 'revenue_by_minute', cause: 'changed', amounts: [{ currency: 'TRY', amount: 0.01 }] }],
      },
    })
})

it('says that nothing was reconciled yet', async () => {
  const edge = await createHarness()
  expect((await body(await edge.get('/reconciliation/latest'))).data).toEqual({ status: 'none', reconciliation: null })
})
