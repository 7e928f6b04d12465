/** Whether the numbers can be trusted: what the checks of the newest day found, and how live results compared with the lake. */
import type { Reconciliation as Found, QualityCheck, QualityRun } from '../../client/index.ts'
import { type Api, dataOf } from '../api.ts'
import { el, type Tone, tag } from '../dom.ts'
import { count, counted, minuteTime, words } from '../format.ts'
import { keepFresh } from '../keep-fresh.ts'
import type { Panel } from '../panel.ts'
import { table } from '../table.ts'

const EVERY_MS = 60_000

export function followQuality(panel: Panel, api: Api): void {
  keepFresh({
    panel,
    everyMs: EVERY_MS,
    load: (signal) => dataOf(api.GET('/quality/latest', { signal })),
    show({ date, status, runs }) {
      panel.note(date === null ? '' : `of ${date}`)
      if (status === 'none') {
        panel.empty('No day was checked yet. The daily aggregation checks each day before it is published.')
        return
      }
      const wrong = runs.flatMap((run) => run.checks.filter((check) => check.status === 'failed'))
      panel.show(
        el('p', {}, tag(status, status === 'passed' ? 'good' : 'bad')),
        runTable(runs),
        ...(wrong.length > 0 ? [el('h3', {}, 'What failed'), wrongList(wrong)] : []),
      )
    },
  }).ask(true)
}

const runTable = (runs: readonly QualityRun[]): HTMLElement =>
  table<QualityRun>(
    'Checks by stage',
    [
      { title: 'Stage', cell: (r) => words(r.stage) },
      { title: 'Passed', number: true, cell: (r) => count(r.passed) },
      { title: 'Warned', number: true, cell: (r) => count(r.warned) },
      { title: 'Failed', number: true, cell: (r) => count(r.failed) },
      { title: 'Skipped', number: true, wide: true, cell: (r) => count(r.skipped) },
      { title: 'Checked, UTC', number: true, cell: (r) => minuteTime(r.finished_at) },
    ],
    runs,
  )

const wrongList = (checks: readonly QualityCheck[]): HTMLElement =>
  el(
    'ul',
    { class: 'findings' },
    ...checks.map((check) =>
      el(
        'li',
        {},
        tag(check.severity === 'error' ? 'gate' : 'warning', check.severity === 'error' ? 'bad' : 'warn'),
        ` ${check.check}: `,
        check.reason || `${check.observed} where ${check.expected} is expected`,
      ),
    ),
  )

const OUTCOMES: Record<'passed' | 'incident', Tone> = { passed: 'good', incident: 'bad' }

export function followReconciliation(panel: Panel, api: Api): void {
  keepFresh({
    panel,
    everyMs: EVERY_MS,
    load: (signal) => dataOf(api.GET('/reconciliation/latest', { signal })),
    show({ status, reconciliation: found }) {
      if (status === 'none' || !found) {
        panel.note('')
        panel.empty('Live results were not compared with the lake yet. That happens every night.')
        return
      }
      panel.note(`${minuteTime(found.from)} to ${minuteTime(found.to)} UTC`)
      panel.show(
        el('p', {}, tag(status, OUTCOMES[status]), ` ${found.message}`),
        comparedTable(found),
        ...explained(found),
      )
    },
  }).ask(true)
}

/** Null is told apart before. */
type Reconciliation = NonNullable<Found>
type Compared = [name: string, of: Reconciliation['compared'][string]]

const comparedTable = ({ compared }: Reconciliation): HTMLElement =>
  table<Compared>(
    'Live rows against those of the jobs run again',
    [
      { title: 'Results', cell: ([name]) => words(name) },
      { title: 'Rows', number: true, cell: ([, of]) => count(of.rows) },
      { title: 'Missing', number: true, cell: ([, of]) => count(of.missing) },
      { title: 'Extra', number: true, wide: true, cell: ([, of]) => count(of.extra) },
      { title: 'Changed', number: true, cell: ([, of]) => count(of.changed) },
    ],
    Object.entries(compared),
  )

const explained = ({ explained, records }: Reconciliation): HTMLElement[] => [
  el(
    'p',
    { class: 'hint' },
    `${counted(records, 'record')} of the log run again`,
    explained.length > 0 &&
      `; explained: ${explained.map((e) => `${counted(e.records, 'record')} ${words(e.cause)}`).join(', ')}`,
    '.',
  ),
]
