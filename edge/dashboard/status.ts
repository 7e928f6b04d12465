/** Whether the page is live, and how fresh what it shows is. The state is read out when it changes; the freshness, which changes every second, is not. */
import type { Snapshot } from '../serve/live.ts'
import { byId } from './dom.ts'
import { dateTime, duration } from './format.ts'

type State = 'connecting' | 'live' | 'stale' | 'offline'

const STALE_MS = 5000

export interface Status {
  live(snapshot: Snapshot): void
  set(state: State, text: string): void
}

export function createStatus(): Status {
  const status = byId('status')
  const text = byId('status-text')
  let receivedAt = 0

  function set(state: State, said: string): void {
    if (status.dataset.state === state && text.textContent === said) return
    status.dataset.state = state
    text.textContent = said
  }
  setInterval(() => {
    if (status.dataset.state === 'live' && performance.now() - receivedAt > STALE_MS)
      set('stale', 'No news for some seconds')
  }, 1000)

  return {
    set,
    live({ watermark, freshness_ms }) {
      receivedAt = performance.now()
      set('live', 'Live')
      byId('fresh').textContent =
        watermark === null || freshness_ms === null
          ? 'no events yet'
          : `final up to ${dateTime(watermark)} UTC, ${duration(Math.max(0, freshness_ms))} ago`
    },
  }
}
