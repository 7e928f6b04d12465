/** The contract against the code: what each component registers, and docs/metrics.md. `UPDATE_DOCS=1` writes that anew. */
import { readFile, writeFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { createHarness } from '../edge/testing/harness.ts'
import { COMPONENTS, METRICS } from './metrics-contract.ts'
import { metricsPage } from './testing/metrics-page.ts'
import { type Registered, registeredBy } from './testing/registered.ts'

const PAGE = new URL('../docs/metrics.md', import.meta.url)
const registered = new Map(COMPONENTS.map((component) => [component, registeredBy(component)]))
const isOurs = ({ name }: Registered): boolean => name.startsWith('streamforge_') || name in METRICS

describe('the metrics that are promised', () => {
  it.each(COMPONENTS)('are those that %s has, with their types and labels, and no other', (component) => {
    const promised = Object.entries(METRICS).filter(([, { components }]) => components.includes(component))
    const has = registered.get(component)!.filter(isOurs)
    expect(Object.fromEntries(has.map(({ name, type, labels }) => [name, { type, labels }]))).toEqual(
      Object.fromEntries(promised.map(([name, { type, labels }]) => [name, { type, labels: [...labels] }])),
    )
  })

  it('say in a sentence what they are, the same in every component', () => {
    const help = new Map<string, string>()
    for (const metric of [...registered.values()].flat().filter(({ name }) => name.startsWith('streamforge_'))) {
      expect(metric.help, metric.name).toMatch(/^[A-Z01].*\.$/)
      expect(help.get(metric.name) ?? metric.help).toBe(metric.help)
      help.set(metric.name, metric.help)
    }
  })

  it('have units in their names: seconds, bytes, and total for what only grows', () => {
    for (const [name, { type }] of Object.entries(METRICS)) {
      expect(/_total$/.test(name), name).toBe(type === 'counter')
      if (type === 'histogram') expect(name).toMatch(/_seconds$/)
    }
  })

  it('are listed in docs/metrics.md', async () => {
    const page = metricsPage(registered)
    if (process.env.UPDATE_DOCS) await writeFile(PAGE, page)
    expect(await readFile(PAGE, 'utf8')).toBe(page)
  })
})

it('clients can not make series: whatever they send, the edge has labels from its own lists', async () => {
  const edge = await createHarness()
  const events = (strange: string) => [
    { event_id: strange, event_type: 'custom', user_id: strange },
    { event_id: `${strange}2`, event_type: strange, [strange]: strange },
  ]
  const send = async (strange: string): Promise<void> => {
    const headers = { 'x-write-key': strange, authorization: `Bearer ${strange}`, 'user-agent': strange }
    const at = (path: string, init: RequestInit = {}) => edge.app.request(`http://edge${path}`, { headers, ...init })
    for (const path of [
      `/${strange}`,
      `/api/v1/features/${strange}`,
      `/sessions/${strange}`,
      `/api/v1/${strange}/${strange}?${strange}=1`,
      `/fraud-alerts/${strange}`,
      `/iceberg/v1/namespaces/${strange}/tables/${strange}`,
      `/schema-registry/subjects/${strange}/versions`,
    ]) {
      await at(path)
      await at(path, { method: 'DELETE' })
      await at(path, { method: strange })
    }
    for (const path of ['/events', '/orders', '/trips', `/v1/${strange}`]) {
      await at(path, { method: 'POST', body: JSON.stringify(events(strange)) })
      await edge.json(path, events(strange))
      await edge.json(path, { orders: strange, event_id: strange })
    }
  }
  const series = async () => {
    const text = await (await edge.get('/metrics')).text()
    const samples = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'))
    return new Set(samples.map((line) => line.slice(0, line.lastIndexOf(' '))))
  }
  await send('strange0')
  await edge.get('/metrics')
  const first = await series()
  for (let i = 1; i <= 20; i++) await send(`strange${i}`)
  expect([...(await series())].filter((each) => !first.has(each))).toEqual([])
  expect([...first].filter((each) => each.toLowerCase().includes('strange'))).toEqual([])
  expect(first.size).toBeGreaterThan(100)
})
