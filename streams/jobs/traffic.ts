/** Traffic: events and exact distinct users per event type and minute. From the clickstream into `traffic_by_minute`. */
import { type ClickstreamEvent, clickUser } from '../contract/events.ts'
import { CLICKSTREAM } from '../contract/topics.ts'
import { tumblingWindow } from '../operators/tumbling-window.ts'
import { type Job, minutes } from './job.ts'

const READS = ['event_time', 'event_type', 'user_id', 'anonymous_id'] as const
type Click = Pick<ClickstreamEvent, (typeof READS)[number]>

interface Traffic {
  events: number
  users: Set<string>
}

export const traffic: Job = {
  name: 'traffic',
  about:
    'Events and distinct users per event type and minute; a user lives in one partition, so the partial counts add up exactly.',
  reads: { [CLICKSTREAM]: READS },
  on: {
    [CLICKSTREAM]: [
      tumblingWindow<Click, Traffic, 'traffic_by_minute'>({
        name: 'traffic',
        sizeMs: minutes(1),
        group: (e) => e.event_type,
        accumulator: {
          schema: {
            type: 'record',
            name: 'Traffic',
            fields: [
              { name: 'events', type: 'long' },
              { name: 'users', type: { type: 'array', items: 'string' } },
            ],
          },
          create: () => ({ events: 0, users: new Set() }),
          add(acc, e) {
            acc.events++
            acc.users.add(clickUser(e))
          },
          forget({ users }, subjectId, standIn) {
            if (!users.delete(subjectId)) return false
            users.add(standIn)
            return true
          },
          save: (acc) => ({ events: acc.events, users: [...acc.users] }),
          load(value) {
            const saved = value as { events: number; users: string[] }
            return { events: saved.events, users: new Set(saved.users) }
          },
        },
        table: 'traffic_by_minute',
        row: ({ startMs, group, acc, final, partition, position }) => ({
          window_start: startMs,
          event_type: group,
          events: acc.events,
          users: acc.users.size,
          final,
          partition,
          position,
        }),
      }),
    ],
  },
}
