/** The streams' tasks: how each topic is, what waits to be read, and how far its results are final. Partitions one by one behind it. */
import type { Snapshot } from '../../serve/live.ts'
import { el, tag } from '../dom.ts'
import { count, counted, duration, time } from '../format.ts'
import type { Panel } from '../panel.ts'
import { table } from '../table.ts'

type Task = Snapshot['pipelines'][number]

const TONES = { idle: 'good', live: 'good', catching_up: 'warn', stuck: 'bad' } as const
const NAMES = { idle: 'up to date', live: 'live', catching_up: 'catching up', stuck: 'stuck' } as const

export function createPipelines(panel: Panel): (snapshot: Pick<Snapshot, 'pipelines' | 'generated_at'>) => void {
  let isOpen = false
  return ({ pipelines, generated_at: now }) => {
    if (pipelines.length === 0) {
      panel.note('')
      panel.empty('No task has told of itself yet: the streams are starting.')
      return
    }
    const lag = pipelines.reduce((sum, p) => sum + p.lag, 0)
    panel.note(lag === 0 ? 'nothing waits' : `${counted(lag, 'record')} waiting`)
    const topics = [...new Set(pipelines.map((p) => p.topic))].map((topic) =>
      sumOf(
        topic,
        pipelines.filter((p) => p.topic === topic),
      ),
    )
    const details = el('details', { class: 'as-table', open: isOpen }, el('summary', {}, 'Each partition'))
    if (isOpen) details.append(taskTable(pipelines, now))
    details.addEventListener('toggle', () => {
      if (details.open === isOpen) return
      isOpen = details.open
      if (isOpen) details.append(taskTable(pipelines, now))
    })
    panel.show(topicTable(topics, now), details)
  }
}

interface Topic {
  name: string
  tasks: number
  status: Task['status']
  lag: number
  watermark: string | null
  late: number
  duplicates: number
  dead: number
}

function sumOf(topic: string, tasks: readonly Task[]): Topic {
  const sum = (of: (task: Task) => number) => tasks.reduce((all, task) => all + of(task), 0)
  const watermarks = tasks.flatMap(({ watermark }) => watermark ?? []).sort()
  return {
    name: topic,
    tasks: tasks.length,
    status: (['stuck', 'catching_up', 'live'] as const).find((s) => tasks.some((t) => t.status === s)) ?? 'idle',
    lag: sum((t) => t.lag),
    // The newest, as freshness is: a partition without traffic does not hold it back.
    watermark: watermarks.at(-1) ?? null,
    late: sum((t) => t.late),
    duplicates: sum((t) => t.duplicates),
    dead: sum((t) => t.dead_letters),
  }
}

const topicTable = (topics: readonly Topic[], now: string): HTMLElement =>
  table<Topic>(
    'Pipelines by topic',
    [
      { title: 'Topic', cell: (t) => el('span', { title: counted(t.tasks, 'partition') }, t.name) },
      { title: 'State', cell: (t) => tag(NAMES[t.status], TONES[t.status]) },
      { title: 'Lag, records', number: true, cell: (t) => count(t.lag) },
      { title: 'Watermark, UTC', number: true, cell: (t) => watermark(t.watermark, now) },
      { title: 'Late', number: true, wide: true, cell: (t) => count(t.late) },
      { title: 'Duplicates', number: true, wide: true, cell: (t) => count(t.duplicates) },
      { title: 'Dead letters', number: true, wide: true, cell: (t) => count(t.dead) },
    ],
    topics,
  )

const taskTable = (tasks: readonly Task[], now: string): HTMLElement =>
  table<Task>(
    'Pipelines by partition',
    [
      { title: 'Partition', cell: (t) => `${t.topic}[${t.partition}]` },
      { title: 'State', cell: (t) => tag(NAMES[t.status], TONES[t.status]) },
      { title: 'Lag', number: true, cell: (t) => count(t.lag) },
      { title: 'Watermark', number: true, cell: (t) => watermark(t.watermark, now) },
      { title: 'Events', number: true, wide: true, cell: (t) => count(t.events) },
      { title: 'Told', number: true, wide: true, cell: (t) => time(t.updated_at, now) },
    ],
    tasks,
  )

const watermark = (at: string | null, now: string) =>
  at === null
    ? '–'
    : el('span', { title: `${duration(Math.max(0, Date.parse(now) - Date.parse(at)))} behind` }, time(at, now))
