/**
 * The browser tracker as a module: what visitors do, sent to the edge's `POST /api/v1/events`. `/sf.js` is this file with its options taken from its script element.
 *
 * Invariants: no cookies; nothing is stored or sent for a visitor whose browser asks not to be tracked (Do Not Track, Global Privacy Control), who has refused, or
 * who has not yet agreed where consent is required; every event gets its id here, once, so that however often it is sent it is one event.
 */
import { CLICK_TYPES, type ClickType } from '../../streams/contract/events.ts'
import { createOutbox } from './outbox.ts'
import { watchPages } from './pages.ts'
import { openStore } from './store.ts'

export interface TrackerOptions {
  /** The write key. */
  key: string
  /** Where the edge is, e.g. `https://events.shop.example`. */
  host: string
  /** `required`: nothing is stored or sent before {@link Tracker.consent} was called with true. */
  consent?: 'required' | undefined
  /** Whether page views are tracked by themselves. Default: true. */
  pages?: boolean | undefined
}

/** The fields of an event that have a meaning of their own; everything else becomes its properties. */
export interface EventFields {
  product_id?: string
  category?: string
  /** On a purchase: its order. The revenue is then counted from the order. */
  order_id?: string
  /** Major units of the currency. */
  revenue?: number
  /** Three letters. */
  currency?: string
  region?: string
  [property: string]: unknown
}

export interface Tracker {
  /**
   * An event of the funnel (`product_view`, `add_to_cart`, `checkout`, `purchase`) with its fields; any other name is a custom event with properties.
   * @returns the event's id; null where nothing is tracked
   */
  track(name: Exclude<ClickType, 'custom'>, fields?: EventFields): string | null
  track(name: string, properties?: Record<string, unknown>): string | null
  /** A page view, where they are not tracked by themselves. */
  page(fields?: EventFields): string | null
  /** Who the visitor is, from now on and over reloads, until {@link Tracker.reset}. */
  identify(userId: string, traits?: Record<string, unknown>): string | null
  /** Somebody else: forgets the user and the anonymous id. */
  reset(): void
  /** The visitor's decision, which is remembered. A refusal forgets everything that is kept. */
  consent(granted: boolean): void
  /** Sends at once what waits. */
  flush(): Promise<void>
}

type Decision = 'granted' | 'refused' | 'open'

/** Events of a visitor who has yet to decide are held in memory, at most so many. */
const HELD_MAX = 100
const ID_BYTES = 16

/** `crypto.randomUUID` is there on secure pages only. */
const newId = (): string =>
  Array.from(crypto.getRandomValues(new Uint8Array(ID_BYTES)), (byte) => byte.toString(16).padStart(2, '0')).join('')

const isAskedNotTo = (): boolean =>
  navigator.doNotTrack === '1' || (navigator as { globalPrivacyControl?: boolean }).globalPrivacyControl === true

/** @param now the clock, epoch milliseconds */
export function createTracker({ key, host, consent, pages = true }: TrackerOptions, now = Date.now): Tracker {
  if (isAskedNotTo()) return silent
  const store = openStore(`sf:${key}:`)
  const outbox = createOutbox({
    store,
    url: `${host}/api/v1/events?write_key=${encodeURIComponent(key)}`,
    page: newId().slice(0, 8),
    now,
  })
  const byDefault: Decision = consent === 'required' ? 'open' : 'granted'
  let decision = (store.get('consent') as Decision | null) ?? byDefault
  let anonymousId = store.get('anonymous') ?? newId()
  let userId = store.get('user')
  const held: object[] = []

  function keep(event: object): void {
    store.set('anonymous', anonymousId)
    if (userId !== null) store.set('user', userId)
    outbox.add(event)
  }

  function record(fields: object): string | null {
    // It may have been withdrawn in another tab.
    if (decision === 'granted' && (store.get('consent') ?? byDefault) !== 'granted') decision = 'refused'
    if (decision === 'refused') return null
    const event_id = newId()
    const event = {
      ...fields,
      event_id,
      event_time: now(),
      user_id: userId,
      anonymous_id: anonymousId,
      page_url: location.href.replace(/#.*/, '').slice(0, 2048),
      device: matchMedia('(pointer: coarse)').matches ? 'mobile' : 'desktop',
      // Otherwise the edge judges by the User-Agent.
      bot: navigator.webdriver || undefined,
      // What is not agreed to is not sent: it is said for keys that require to be told.
      consent: consent === 'required' || undefined,
    }
    if (decision === 'granted') keep(event)
    else if (held.length < HELD_MAX) held.push(event)
    return event_id
  }

  const track = (name: string, fields: object = {}): string | null =>
    record(
      CLICK_TYPES.includes(name as ClickType)
        ? { ...fields, event_type: name }
        : { properties: fields, event_type: 'custom', event: name },
    )
  const page = (fields: EventFields = {}): string | null =>
    track('page_view', { referrer: document.referrer.slice(0, 2048), title: document.title, ...fields })
  const forgetVisitor = (): void => {
    userId = null
    anonymousId = newId()
    store.remove('user')
    store.remove('anonymous')
  }

  if (pages) watchPages((referrer) => void page({ referrer: referrer.slice(0, 2048) }))
  return {
    track,
    page,
    identify(id, traits) {
      userId = id
      return track('identify', traits)
    },
    reset: forgetVisitor,
    consent(granted) {
      decision = granted ? 'granted' : 'refused'
      const events = held.splice(0)
      if (granted) events.forEach(keep)
      else {
        outbox.clear()
        forgetVisitor()
      }
      // What a page starts with anyway need not be kept: where consent is required, a refusal leaves no trace.
      if (granted === (byDefault === 'granted')) store.remove('consent')
      else store.set('consent', decision)
    },
    flush: outbox.flush,
  }
}

const silent: Tracker = {
  track: () => null,
  page: () => null,
  identify: () => null,
  reset() {},
  consent() {},
  async flush() {},
}
