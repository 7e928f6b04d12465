/** The rules against the metrics that there are, and against their own promises: a sentence of what to do, a runbook, two cases each. */
import { readFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { METRICS } from '../metrics-contract.ts'
import { alertRules, metricsIn, PROMETHEUS, recordingRules, unknownMetrics } from '../testing/rules.ts'

const recorded = await recordingRules()
const alerts = await alertRules()

describe('the rules', () => {
  it('ask for metrics that are promised, and for what is recorded', () => {
    for (const { expr } of [...recorded, ...alerts]) expect(unknownMetrics(expr, recorded), expr).toEqual([])
    expect(unknownMetrics('rate(streamforge_made_up_total[5m])', recorded)).toEqual(['streamforge_made_up_total'])
  })

  it('record nothing that nobody asks for', async () => {
    const dashboards = await readFile(new URL('../grafana/dashboards.ts', PROMETHEUS), 'utf8')
    const asked = new Set([...recorded, ...alerts].flatMap(({ expr }) => metricsIn(expr)).concat(metricsIn(dashboards)))
    expect(recorded.filter(({ record }) => !asked.has(record))).toEqual([])
  })
})

describe('each alert', () => {
  it.each(alerts)('$alert says how urgent it is, what it means and what to do, and has a runbook', (rule) => {
    const { alert, labels, annotations } = rule
    expect(alert).toMatch(/^StreamForge[A-Z]/)
    expect(['critical', 'warning']).toContain(labels.severity)
    expect(annotations.summary).toMatch(/^[A-Z{].*[^.]$/)
    expect(annotations.description?.match(/\.(\s|$)/g)?.length, 'sentences').toBeGreaterThan(1)
    const anchor = `#${alert.toLowerCase()}`
    expect(annotations.runbook).toBe(`docs/runbooks.md${anchor}`)
    expect(annotations.runbook_url).toBe(`{{ $externalLabels.runbooks }}${anchor}`)
  })

  it('has its runbook, and there is none of an alert that is gone', async () => {
    const runbooks = await readFile(new URL('../../docs/runbooks.md', PROMETHEUS), 'utf8')
    const written = [...runbooks.matchAll(/^### (\w+)$/gm)].map(([, name]) => name)
    expect(written.sort()).toEqual(alerts.map(({ alert }) => alert).sort())
  })

  it('has a case in which it fires, and one in which it does not', async () => {
    const { tests } = parse(await readFile(new URL('tests/alerts.yml', PROMETHEUS), 'utf8')) as {
      tests: { promql_expr_test: { expr: string; exp_samples: unknown[] }[] }[]
    }
    const cases = tests.flatMap(({ promql_expr_test: [test] }) => {
      const name = /alertname="(\w+)"/.exec(test!.expr)?.[1]
      return [`${name} ${test!.exp_samples.length > 0 ? 'fires' : 'does not'}`]
    })
    expect(cases.sort()).toEqual(alerts.flatMap(({ alert }) => [`${alert} does not`, `${alert} fires`]).sort())
  })
})

it('a name that is not promised would be seen', () => {
  expect(Object.keys(METRICS).length).toBeGreaterThan(50)
  expect(
    metricsIn('histogram_quantile(0.9, sum by (le, topic) (rate(streamforge_x_bucket{job=~"streamforge-.+"}[5m])))'),
  ).toEqual(['streamforge_x_bucket'])
})
