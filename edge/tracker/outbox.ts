/**
 * Events on their way: kept until the edge has said that it has them, sent in batches, again and again while the edge can't be reached.
 *
 * Invariants: an event leaves the store only after an answer that sending it again would not change; it keeps its id, so an event whose answer was lost is a
 * duplicate to the edge; each has a name of the store to itself, so tabs that add and remove at the same time don't overwrite each other; a page sends its own
 * events, and those of pages that are gone, which the lock that a page holds while it has some tells from those of other tabs.
 */
import type { Store } from './store.ts'

export interface Outbox {
  /** @param event of JSON, with its id */
  add(event: object): void
  /** Sends at once what waits. */
  flush(): Promise<void>
  /** Forgets what waits. */
  clear(): void
}

export interface OutboxOptions {
  store: Store
  /** Where the events go, with the key. */
  url: string
  /** What tells this page from others. */
  page: string
  now: () => number
}

interface Batch {
  names: string[]
  body: string
  bytes: number
}

const PREFIX = 'e'
const LOCK = 'sf:'
/** The oldest go first when there are more. */
const KEPT_MAX = 1_000
const BATCH_MAX = 100
/** Browsers let requests that outlive their page hold 64 KiB between them. */
const BATCH_BYTES_MAX = 60_000
/** So long events wait for company. */
const GATHER_MS = 500
const BACKOFF_MIN_MS = 1_000
const BACKOFF_MAX_MS = 60_000
const TIMEOUT_MS = 15_000

export function createOutbox({ store, url, page, now }: OutboxOptions): Outbox {
  /** Names in the store of what this page is to send, oldest first. */
  const own = new Set<string>()
  const inFlight = new Set<string>()
  /** Lets go of the lock of a page, by the page whose events they are. */
  const held = new Map<string, () => void>()
  let added = 0
  let failures = 0
  let timer: ReturnType<typeof setTimeout> | undefined
  let flushing: Promise<void> | undefined

  const forget = (name: string): void => {
    store.remove(name)
    own.delete(name)
    const from = pageOf(name)
    if ([...own].some((other) => pageOf(other) === from)) return
    held.get(from)?.()
    held.delete(from)
  }
  const flushIn = (ms: number): void => {
    clearTimeout(timer)
    timer = setTimeout(() => {
      timer = undefined
      void flush()
    }, ms)
  }

  /** The first that fit into a request, each with the time of this attempt: it corrects the clock of the event's own time. */
  function nextBatch(): Batch {
    const names: string[] = []
    const events: string[] = []
    let bytes = 2
    for (const name of own) {
      if (inFlight.has(name)) continue
      const text = store.get(name)
      // Somebody has cleared the store.
      if (text === null) {
        forget(name)
        continue
      }
      const event = `{"sent_at":${now()},${text.slice(1)}`
      const more = new TextEncoder().encode(event).length + 1
      if (names.length > 0 && (bytes + more > BATCH_BYTES_MAX || names.length === BATCH_MAX)) break
      bytes += more
      names.push(name)
      events.push(event)
    }
    return { names, body: `[${events}]`, bytes }
  }

  /** @returns whether to go on: false when the edge is to be left alone for a while */
  async function send({ names, body, bytes }: Batch): Promise<boolean> {
    let response: Response | undefined
    for (const name of names) inFlight.add(name)
    try {
      // Plain text with the key in the address needs no preflight from another origin.
      response = await fetch(url, {
        method: 'POST',
        body,
        credentials: 'omit',
        keepalive: bytes <= BATCH_BYTES_MAX,
        signal: AbortSignal.timeout?.(TIMEOUT_MS) ?? null,
      })
      // Until its answer is read, a request counts towards the 64 KiB.
      await response.text()
    } catch {
      // No network, no edge, or no answer in time.
    }
    for (const name of names) inFlight.delete(name)
    if (!response || response.status > 499 || response.status === 429 || response.status === 408) {
      const backoff = Math.min(BACKOFF_MAX_MS, BACKOFF_MIN_MS * 2 ** failures++)
      const asked = Number(response?.headers.get('retry-after')) * 1000 || 0
      flushIn(asked + backoff * (0.5 + Math.random() / 2))
      return false
    }
    failures = 0
    names.forEach(forget)
    return true
  }

  async function drain(): Promise<void> {
    for (;;) {
      const batch = nextBatch()
      if (batch.names.length === 0 || !(await send(batch))) return
    }
  }

  async function flush(): Promise<void> {
    flushing ??= drain().finally(() => {
      flushing = undefined
    })
    await flushing
  }

  /** The page may be gone in a moment: what can be sent now is. */
  function leave(): void {
    const batch = nextBatch()
    if (batch.names.length > 0) void send(batch)
  }

  /** Until all of the page's events are forgotten, or this page is gone. */
  const hold = (from: string): Promise<void> => new Promise((resolve) => held.set(from, resolve))

  /**
   * Takes on what pages before this one have left: each when it is gone, which its lock tells, and the browser lets go of that somewhat after the page. Without locks (on pages that are
   * not secure) other tabs' too, and the edge tells by the ids.
   */
  function adopt(): void {
    const kept = (): string[] => store.names().filter((name) => name.startsWith(PREFIX))
    for (const from of new Set(kept().map(pageOf))) {
      const take = (): Promise<void> | undefined => {
        const left = kept().filter((name) => pageOf(name) === from)
        for (const name of left) own.add(name)
        if (left.length === 0) return undefined
        flushIn(GATHER_MS)
        return hold(from)
      }
      if (navigator.locks) void navigator.locks.request(LOCK + from, take)
      else void take()
    }
  }

  addEventListener('pagehide', leave)
  document.addEventListener('visibilitychange', () => {
    if (document.visibilityState === 'hidden') leave()
  })
  addEventListener('online', () => {
    failures = 0
    flushIn(0)
  })
  adopt()

  return {
    add(event) {
      // The names are in the order of time.
      const name = `${PREFIX}${now().toString(36)}.${(added++).toString(36).padStart(4, '0')}.${page}`
      if (!held.has(page)) {
        const isOver = hold(page)
        void navigator.locks?.request(LOCK + page, () => isOver)
      }
      store.set(name, JSON.stringify(event))
      own.add(name)
      for (const oldest of own) {
        if (own.size <= KEPT_MAX) break
        forget(oldest)
      }
      // While the edge is left alone, its timer is there.
      if (timer === undefined) flushIn(GATHER_MS)
      else if (failures === 0 && own.size === BATCH_MAX) flushIn(0)
    },
    flush,
    clear() {
      for (const name of store.names()) if (name.startsWith(PREFIX)) forget(name)
    },
  }
}

const pageOf = (name: string): string => name.slice(name.lastIndexOf('.') + 1)
