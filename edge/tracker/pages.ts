/** When a visitor sees another page: at the start, when the page's own script changes the address, and when the browser takes a page back out of its cache. */

/** @param seen called for each, with the address of the page before */
export function watchPages(seen: (referrer: string) => void): void {
  let last = document.referrer
  let current: string | undefined
  const look = (): void => {
    // What follows the # is a place in a page.
    const address = location.href.replace(/#.*/, '')
    if (address === current) return
    last = current ?? last
    current = address
    seen(last)
  }
  for (const name of ['pushState', 'replaceState'] as const) {
    const original = history[name]
    history[name] = function (...args) {
      original.apply(this, args)
      look()
    }
  }
  addEventListener('popstate', look)
  addEventListener('pageshow', ({ persisted }) => {
    if (!persisted) return
    current = undefined
    look()
  })
  // Pages that a browser prepares in advance are seen later, or never.
  if ('prerendering' in document && document.prerendering) document.addEventListener('prerenderingchange', look)
  else look()
}
