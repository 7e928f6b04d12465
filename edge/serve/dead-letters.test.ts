import { describe, expect, it } from 'vitest'
import { parseFix } from '../../streams/dead-letters/fix.ts'
import { LogUnavailable } from '../../streams/log/event-log.ts'
import type { Quarantine } from '../ports.ts'
import { createHarness, NOW } from '../testing/harness.ts'

const ID = 'dlq.transactions.orders:0:17'
const letter = {
  id: ID,
  cause: 'dead/transactions.orders/2/41',
  diedAtMs: NOW,
  source: { topic: 'transactions.orders', partition: 2, offset: 41, appendedAtMs: NOW - 5 },
  reason: 'unknown_schema',
  message: 'Schema 7 is not in the registry',
  key: 'ada',
  value: Buffer.from([0, 0, 0, 0, 7, 1]),
  cutFromBytes: null,
  headers: { traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' },
} as const
const found = { letter, replayed: false }

/** Knows one letter, and notes what it is asked. */
function quarantineOf(over: Partial<Quarantine> = {}) {
  const asked: unknown[] = []
  const quarantine: Quarantine = {
    causes: async () => ({ causes: [], letters: 0 }),
    letters: async (...question) => {
      asked.push(question)
      return [found]
    },
    letter: async (id) => (id === ID ? { ...found, group: 'g', value: { format: 'binary', text: '00' } } : null),
    replay: async (question) => {
      asked.push({ ...question, fix: question.fix && parseFix(question.fix) })
      return {
        replayed: 1,
        replayedBefore: 0,
        refused: 0,
        more: false,
        examples: [{ letter, outcome: 'replayed', event: { order_id: 'o-1' } as never, to: null }],
        missing: [],
      }
    },
    ...over,
  }
  return { quarantine, asked }
}

describe('GET /dead-letters', () => {
  it('gives pages by group, and one letter with its bytes and its trace', async () => {
    const { quarantine, asked } = quarantineOf()
    const traceUrl = 'https://jaeger.example/trace/{trace_id}'
    const h = await createHarness({ quarantine, alerts: { traceUrl } })
    const page = await (await h.get('/dead-letters?group=g&limit=1')).json()
    expect(page).toMatchObject({
      data: [{ id: ID, reason: 'unknown_schema', replayed: false }],
      meta: { next_cursor: null },
    })
    const topics = ['clickstream.events', 'transactions.orders', 'trips.completed'].map((topic) => `dlq.${topic}`)
    expect(asked).toEqual([
      [
        { topics, group: 'g' },
        { limit: 2, before: null },
      ],
    ])

    const one = await (await h.get(`/dead-letters/${ID}`)).json()
    expect(one.data).toMatchObject({
      group: 'g',
      bytes: 6,
      value_base64: 'AAAAAAcB',
      source: { topic: 'transactions.orders', partition: 2, offset: 41 },
      trace_url: 'https://jaeger.example/trace/0af7651916cd43dd8448eb211c80319c',
    })
  })

  it('knows no record of another topic, and no cursor that it did not give', async () => {
    const h = await createHarness({
      quarantine: quarantineOf({
        letter: async () => {
          throw new Error('asked')
        },
      }).quarantine,
    })
    expect((await h.get('/dead-letters/transactions.orders:0:17')).status).toBe(404)
    expect((await h.get('/dead-letters?cursor=x')).status).toBe(400)
  })

  it('looks through them for two at once and no more, and says so when the log is away', async () => {
    let end!: () => void
    const held = new Promise<void>((resolve) => {
      end = resolve
    })
    let begun = 0
    let bothBegan!: () => void
    const both = new Promise<void>((resolve) => {
      bothBegan = resolve
    })
    const causes: Quarantine['causes'] = async () => {
      if (++begun === 2) bothBegan()
      await held
      if (begun === 3) throw new LogUnavailable('The log is away.')
      return { causes: [], letters: 0 }
    }
    const h = await createHarness({ quarantine: quarantineOf({ causes }).quarantine })
    const asking = [h.get('/dead-letters/causes'), h.get('/dead-letters/causes')]
    await both
    expect((await h.get('/dead-letters/causes')).status).toBe(503)
    end()
    expect((await Promise.all(asking)).map(({ status }) => status)).toEqual([200, 200])
    const away = await h.get('/dead-letters/causes')
    expect([away.status, away.headers.get('retry-after'), (await away.json()).detail]).toEqual([
      503,
      '2',
      'The dead letters can not be reached now: The log is away. Ask again in a moment.',
    ])
  })
})

describe('POST /dead-letter-replays', () => {
  const ask = async (h: Awaited<ReturnType<typeof createHarness>>, body: object) => {
    const headers = { ...(await h.as('operator')), 'content-type': 'application/json' }
    return h.app.request('/dead-letter-replays', { method: 'POST', body: JSON.stringify(body), headers })
  }

  it('tries with a fix, and is in the audit log only where something went back', async () => {
    const { quarantine, asked } = quarantineOf()
    const h = await createHarness({ quarantine })
    const mapping = { topic: 'orders', columns: { user_id: 'u', amount: 'a', event_time: 't' } }
    const tried = await ask(h, { group: 'g', dry_run: true, fix: { mapping } })
    expect((await tried.json()).data).toMatchObject({
      dry_run: true,
      replayed: 1,
      examples: [{ id: ID, outcome: 'replayed', event: { order_id: 'o-1' } }],
    })
    expect(asked[0]).toMatchObject({
      which: { group: 'g' },
      dryRun: true,
      limit: 1000,
      fix: { mapping: { topic: 'transactions.orders' } },
    })
    const audit = async () =>
      (await (await h.get('/audit', await h.as('admin'))).json()).data.filter(
        ({ action }: { action: string }) => action === 'dead_letters.replay',
      )
    expect(await audit()).toEqual([])
    await ask(h, { ids: [ID, 'transactions.orders:0:1'] })
    expect(asked[1]).toMatchObject({ which: { ids: [ID] }, dryRun: false, fix: null })
    expect(await audit()).toMatchObject([
      { actor: 'the-operator', detail: { replayed: 1, refused: 0, fixed_by: null } },
    ])
  })

  it.each([
    [{}, 'Name a group or ids'],
    [{ group: 'g', ids: [ID] }, 'Name a group or ids'],
    [{ group: 'g', fix: {} }, 'fix: A fix names a schema'],
    [{ group: 'g', fix: { mapping: 'none-such' } }, 'fix: mapping: "none-such" is none of'],
    [{ group: 'g', fix: { schema: { type: 'nothing' } } }, 'fix: schema: not an Avro schema'],
    [{ group: 'g', limit: 10_001 }, 'limit: '],
  ])('refuses %j with a sentence', async (body, sentence) => {
    const h = await createHarness()
    const response = await ask(h, body)
    expect([response.status, (await response.json()).detail]).toEqual([400, expect.stringContaining(sentence)])
  })
})
