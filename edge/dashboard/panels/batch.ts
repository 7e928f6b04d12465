/** The batch workflows: how each is, how its last runs went, when it runs next; with links into Temporal's UI where that is known. */
import type { Snapshot } from '../../serve/live.ts'
import { el, link, type Tone, tag } from '../dom.ts'
import { dateTime, duration, time, words } from '../format.ts'
import type { Panel } from '../panel.ts'
import { table } from '../table.ts'

type Workflow = Snapshot['batch']['workflows'][number]

const TONES: Record<Workflow['status'], Tone> = {
  ok: 'good',
  running: 'good',
  waiting: 'soft',
  paused: 'soft',
  overdue: 'warn',
  failed: 'bad',
}
const RUN_TONES: Partial<Record<Workflow['recent'][number][0], Tone>> = {
  running: 'warn',
  completed: 'good',
  continued_as_new: 'good',
  failed: 'bad',
  timed_out: 'bad',
}
const SILENT_MS = 60_000

export function showBatch(panel: Panel, { batch, generated_at }: Pick<Snapshot, 'batch' | 'generated_at'>): void {
  const { workflows, mirrored_at } = batch
  const silentMs = mirrored_at === null ? 0 : Date.parse(generated_at) - Date.parse(mirrored_at)
  panel.note(
    silentMs > SILENT_MS ? `as of ${dateTime(mirrored_at!)}: no worker has told more for ${duration(silentMs)}` : '',
  )
  if (workflows.length === 0) {
    panel.empty(
      'No workflow has run yet. They run where there is a worker: npm start has one, unless STREAMFORGE_WORKFLOWS is off.',
    )
    return
  }
  const rows = table<Workflow>(
    'Batch workflows',
    [
      { title: 'Workflow', cell: (w) => link(w.schedule_url, w.workflow) },
      { title: 'State', cell: (w) => tag(w.status, TONES[w.status]) },
      { title: 'Last runs', wide: true, cell: (w) => dotsOf(w, generated_at) },
      { title: 'Last run', cell: (w) => lastOf(w, generated_at) },
      {
        title: 'Took',
        number: true,
        wide: true,
        cell: (w) => (w.last_run ? duration(w.last_run.duration_seconds * 1000) : '–'),
      },
      {
        title: 'Lag',
        number: true,
        wide: true,
        cell: (w) => (w.lag_seconds === null ? '–' : duration(w.lag_seconds * 1000)),
      },
      { title: 'Next run', number: true, cell: (w) => nextOf(w, generated_at) },
    ],
    workflows,
  )
  panel.show(rows, ...failuresOf(workflows))
}

/** The oldest first, as a line of time. */
function dotsOf({ workflow, recent }: Workflow, now: string): Node {
  const dots = [...recent].reverse().map(([status, startedAt, seconds]) =>
    el('span', {
      class: 'run',
      'data-tone': RUN_TONES[status] ?? 'soft',
      title: `${words(status)}, ${time(startedAt, now)}, ${duration(seconds * 1000)}`,
    }),
  )
  const told = recent.map(([status]) => words(status)).join(', ') || 'no runs'
  return el('span', { class: 'runs', role: 'img', 'aria-label': `${workflow}: ${told}, the newest first` }, ...dots)
}

function lastOf({ last_run: run }: Workflow, now: string): Node | string {
  if (!run) return '–'
  const about = run.memo.date ?? run.memo.table ?? run.memo.job
  const what = link(run.url, time(run.started_at, now))
  what.title = `${run.workflow_id}${about === undefined ? '' : `, about ${about}`}: ${words(run.status)}`
  return what
}

const nextOf = ({ next_run_at: next, paused }: Workflow, now: string): string =>
  paused ? 'paused' : next === null ? '–' : time(next, now)

const failuresOf = (workflows: readonly Workflow[]): HTMLElement[] =>
  workflows
    .filter(({ status, last_run }) => status === 'failed' && last_run?.failure)
    .map(({ workflow, last_run }) => el('p', { class: 'failure' }, el('strong', {}, workflow), ` ${last_run!.failure}`))
