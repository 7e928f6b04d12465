/**
 * One client of the live stream: what it wants to hear, how far it has been told, and its queue of a few messages.
 *
 * Invariants: alerts come in order, and none is left out: where the queue is full they wait, not in memory but by their place; snapshots and states are whole in themselves, so a client that is
 * behind misses some. When the client's token has run out the stream says so and ends.
 */
import type { AlertChange, ChangePlace } from '../ports.ts'
import { alertOf } from './alert-view.ts'
import type { LiveAlerts } from './live-alerts.ts'
import { eventText } from './live-place.ts'

export const LIVE_TOPICS = ['snapshot', 'alert', 'pipeline'] as const
export type LiveTopic = (typeof LIVE_TOPICS)[number]

export interface Subscription {
  topics: ReadonlySet<LiveTopic>
  /** Of the token, epoch ms. */
  expiresAt: number
  /** The last place that the client has been told of; null: it begins now. Text that is no place is one that nobody knows. */
  after: ChangePlace | 'unknown' | null
}

/** Messages a client may be behind before it misses some. */
const BEHIND_MAX = 4
/** In one message of the queue. */
const ALERTS_AT_ONCE = 20
const RETRY = 'retry: 2000\n\n'

export interface LiveClient {
  readonly stream: ReadableStream<Uint8Array>
  readonly expiresAt: number
  wants(topic: LiveTopic): boolean
  /** From now on, where it does not resume. */
  begin(alerts: LiveAlerts): void
  /** Alerts as far as there is room. @param resume from the database; shared by those that stand at one place @returns whether it has been told everything */
  tellAlerts(alerts: LiveAlerts, resume: LiveAlerts['resume']): Promise<boolean>
  /** Dropped where there is no room. @returns whether there was */
  tell(text: string | Uint8Array): boolean
  problem(detail: string): void
  bye(reason: 'token_expired' | 'stopping'): void
}

const encoder = new TextEncoder()

export function createLiveClient({ topics, expiresAt, after }: Subscription, onLeft: () => void): LiveClient {
  let controller!: ReadableStreamDefaultController<Uint8Array>
  /** Where it stands: by place as long as the database has to be asked, then by number. */
  let place: ChangePlace | null = after === 'unknown' ? null : after
  let next: number | null = null
  let isLost = after === 'unknown'
  const stream = new ReadableStream<Uint8Array>(
    {
      start(made) {
        controller = made
        made.enqueue(encoder.encode(RETRY))
      },
      cancel: onLeft,
    },
    new CountQueuingStrategy({ highWaterMark: BEHIND_MAX }),
  )
  const hasRoom = () => (controller.desiredSize ?? 0) > 0
  const send = (text: string | Uint8Array) => controller.enqueue(typeof text === 'string' ? encoder.encode(text) : text)

  /** In messages of a few, as long as there is room. @returns how many were sent */
  function sendAlerts(changes: readonly AlertChange[]): number {
    let sent = 0
    while (sent < changes.length && hasRoom()) {
      const some = changes.slice(sent, sent + ALERTS_AT_ONCE)
      send(some.map((change) => eventText('alert', alertOf(change.alert), change.place)).join(''))
      sent += some.length
      place = some.at(-1)!.place
    }
    return sent
  }

  function begin(alerts: LiveAlerts): void {
    place = alerts.place
    next = alerts.end
  }

  function reset(alerts: LiveAlerts): boolean {
    if (!hasRoom()) return false
    send(
      eventText(
        'reset',
        {
          detail:
            'Too much has changed since, or the place is not known here. Read /fraud-alerts anew; what follows goes on from here.',
        },
        alerts.place,
      ),
    )
    isLost = false
    begin(alerts)
    return true
  }

  return {
    stream,
    expiresAt,
    wants: (topic) => topics.has(topic),
    begin,
    async tellAlerts(alerts, resume) {
      if (isLost) return reset(alerts)
      if (place === null || !topics.has('alert')) begin(alerts)
      if (next !== null) {
        for (;;) {
          const changes = alerts.from(next, ALERTS_AT_ONCE)
          if (changes === null) break
          if (changes.length === 0) return true
          const sent = sendAlerts(changes)
          next += sent
          if (sent < changes.length) return false
        }
        // What it lacks is no longer kept.
        next = null
      }
      const end = alerts.end
      const changes = await resume(place!)
      if (changes === null) {
        isLost = true
        return reset(alerts)
      }
      if (sendAlerts(changes) < changes.length) return false
      next = end
      return true
    },
    tell(text) {
      if (!hasRoom()) return false
      send(text)
      return true
    },
    problem(detail) {
      if (hasRoom()) send(eventText('problem', { detail }, place))
    },
    bye(reason) {
      const detail =
        reason === 'token_expired'
          ? 'The access token has run out. Come back with a new one, and the id of the last message.'
          : 'The edge is stopping. Come back in a moment, with the id of the last message.'
      send(eventText('bye', { reason, detail }, place))
      controller.close()
    },
  }
}
