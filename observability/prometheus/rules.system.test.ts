/** The files of Prometheus and Alertmanager, read by the programs that they are for: syntax, each alert in one case and out of another, and who is told. */
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { withPrometheus } from '../../cli/servers/testing/with-prometheus.ts'
import { ALERTMANAGER, alertRules, PROMETHEUS } from '../testing/rules.ts'

const { tool } = withPrometheus()
const file = (name: string): string => fileURLToPath(new URL(name, PROMETHEUS))
const alertmanager = fileURLToPath(ALERTMANAGER)

it('Prometheus takes its configuration and the rules that it names', async () => {
  const { code, stdout, stderr } = await tool('promtool', ['check', 'config', file('prometheus.yml')])
  expect([code, stderr]).toEqual([0, ''])
  expect(stdout).toContain('2 rule files found')
  expect(stdout).toContain(`${(await alertRules()).length} rules found`)
})

it('each alert fires in its case, and does not in the one that looks alike', async () => {
  const { code, stdout, stderr } = await tool('promtool', ['test', 'rules', file('tests/alerts.yml')])
  expect(code, stdout + stderr).toBe(0)
})

it('Alertmanager takes its configuration, and wakes somebody for what is critical alone', async () => {
  const checked = await tool('amtool', ['check-config', alertmanager])
  expect([checked.code, checked.stderr]).toEqual([0, ''])
  for (const { alert, labels } of await alertRules()) {
    const labelled = [`alertname=${alert}`, `severity=${labels.severity}`]
    const { stdout } = await tool('amtool', ['config', 'routes', 'test', `--config.file=${alertmanager}`, ...labelled])
    expect([alert, stdout.trim()]).toEqual([alert, labels.severity === 'critical' ? 'page' : 'ticket'])
  }
})
