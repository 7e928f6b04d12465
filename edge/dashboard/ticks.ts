/** What stands below a time axis: only as much of a moment as its neighbours don't say. UTC. */

const DAY_S = 86_400
const date = new Intl.DateTimeFormat('en', { timeZone: 'UTC', month: 'short', day: 'numeric' })
const month = new Intl.DateTimeFormat('en', { timeZone: 'UTC', month: 'short' })

/** @param step seconds from one tick to the next */
export function tickText(seconds: number, step: number, first = false): string {
  const at = new Date(seconds * 1000)
  const clock = at.toISOString().slice(11, 19)
  if (step >= 27 * DAY_S)
    return at.getUTCMonth() === 0 || first ? `${month.format(at)} ${at.getUTCFullYear()}` : month.format(at)
  if (step >= DAY_S || clock === '00:00:00') return date.format(at)
  return step < 60 ? clock : clock.slice(0, 5)
}
