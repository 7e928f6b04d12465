/** Tells who can't see it that something has happened: at most one sentence in ten seconds, in which everything since the last is counted. */
import { byId } from './dom.ts'

const PAUSE_MS = 10_000

/** @param sentence of how many have happened */
export function createAnnouncer(sentence: (times: number) => string): (times: number) => void {
  let pending = 0
  let isResting = false

  function say(): void {
    if (pending === 0) {
      isResting = false
      return
    }
    byId('announcement').textContent = sentence(pending)
    pending = 0
    isResting = true
    setTimeout(say, PAUSE_MS)
  }

  return (times) => {
    pending += times
    if (pending > 0 && !isResting) say()
  }
}
