/** The dashboards against the metrics that there are, and their JSON against them. `UPDATE_DASHBOARDS=1` writes it anew, and `npm run format` brings it into form. */
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { currencyDecimals } from '../../streams/contract/money.ts'
import { alertRules, recordingRules, unknownMetrics } from '../testing/rules.ts'
import { type Dashboard, grafanaJson, type Panel } from './dashboard.ts'
import { DASHBOARDS, THREE_DECIMALS, WITHOUT_DECIMALS } from './dashboards.ts'

const FOLDER = new URL('./dashboards/', import.meta.url)
const fileOf = ({ uid }: Dashboard): string => `${uid.replace('streamforge-', '')}.json`
const panelsOf = ({ rows }: Dashboard): Panel[] => rows.flatMap(({ panels }) => panels)
const recorded = await recordingRules()
const alerts = new Set((await alertRules()).map(({ alert }) => alert))

it('the files in dashboards/ are what is written here', async () => {
  for (const dashboard of DASHBOARDS) {
    const [file, json] = [new URL(fileOf(dashboard), FOLDER), grafanaJson(dashboard)]
    if (process.env.UPDATE_DASHBOARDS) await writeFile(file, json)
    expect(JSON.parse(await readFile(file, 'utf8')), fileOf(dashboard)).toEqual(JSON.parse(json))
  }
  expect((await readdir(FOLDER)).sort()).toEqual(DASHBOARDS.map(fileOf).sort())
})

describe.each(DASHBOARDS)('$title', (dashboard) => {
  it('asks for metrics that are promised, and links alerts that there are', () => {
    for (const { title, says, queries, alert } of panelsOf(dashboard)) {
      expect(says, title).toMatch(/^[A-Z0-9].*\.$/)
      if (alert) expect(alerts, title).toContain(alert)
      for (const query of queries)
        if ('promql' in query) expect(unknownMetrics(query.promql, recorded), title).toEqual([])
    }
  })

  it('has its panels side by side and one below the other, none upon another', () => {
    const { panels } = JSON.parse(grafanaJson(dashboard)) as {
      panels: { id: number; title: string; gridPos: { x: number; y: number; w: number; h: number } }[]
    }
    const taken = new Map<string, string>()
    for (const { title, gridPos } of panels) {
      expect(gridPos.x + gridPos.w, title).toBeLessThanOrEqual(24)
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++)
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
          expect(taken.get(`${x} ${y}`), title).toBeUndefined()
          taken.set(`${x} ${y}`, title)
        }
    }
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length)
  })
})

it('each alert has a panel that shows what it watches, but for two whose panels are those of another', () => {
  const linked = new Set(DASHBOARDS.flatMap(panelsOf).map(({ alert }) => alert))
  expect([...alerts].filter((alert) => !linked.has(alert))).toEqual(['StreamForgeLateEvents', 'StreamForgeRedisErrors'])
})

it('decimals of currencies are those that amounts are counted in', () => {
  for (const currency of WITHOUT_DECIMALS) expect([currency, currencyDecimals(currency)]).toEqual([currency, 0])
  for (const currency of THREE_DECIMALS) expect([currency, currencyDecimals(currency)]).toEqual([currency, 3])
})

it('Grafana is given the datasources that panels name, and no secret but by its environment', async () => {
  const text = await readFile(new URL('./provisioning/datasources/streamforge.yml', import.meta.url), 'utf8')
  const { datasources } = parse(text) as {
    datasources: { uid: string; type: string; secureJsonData?: Record<string, string> }[]
  }
  const named = DASHBOARDS.flatMap((dashboard) => [...grafanaJson(dashboard).matchAll(/"datasource": (\{[^}]*\})/g)])
  for (const [, json] of named) {
    const { uid, type } = JSON.parse(json!) as { uid: string; type: string }
    expect(datasources).toContainEqual(expect.objectContaining({ uid, type }))
  }
  for (const secret of datasources.flatMap(({ secureJsonData = {} }) => Object.values(secureJsonData)))
    expect(secret).toMatch(/^\$[A-Z_]+$/)
})
