/** What the address names besides the page: an alert or a dead letter that is open, a user that is looked up, the code of a login link. */

export type PlaceName = 'alert' | 'letter' | 'user' | 'range'

const parameters = (): URLSearchParams => new URLSearchParams(location.hash.slice(1))

export const placeOf = (name: PlaceName): string | null => parameters().get(name)

function write(change: (named: URLSearchParams) => void): void {
  const named = parameters()
  change(named)
  const hash = named.toString()
  history.replaceState(null, '', hash === '' ? location.pathname + location.search : `#${hash}`)
}

export const setPlace = (name: PlaceName, value: string): void => write((named) => named.set(name, value))
export const clearPlace = (name: PlaceName): void => write((named) => named.delete(name))

/** The code of a one-time link, which leaves the address at once: it must not be in the history, nor in a copied link. */
export function takeLoginCode(): string | null {
  const code = parameters().get('login')
  if (code !== null) write((named) => named.delete('login'))
  return code
}
