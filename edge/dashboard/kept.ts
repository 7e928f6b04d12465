/** What a tab or this browser remembers. Where storage is forbidden the page works too, and forgets. */

const storageOf = (name: 'localStorage' | 'sessionStorage') => ({
  read(key: string): string | null {
    try {
      return globalThis[name].getItem(key)
    } catch {
      return null
    }
  },
  write(key: string, value: string | null): void {
    try {
      if (value === null) globalThis[name].removeItem(key)
      else globalThis[name].setItem(key, value)
    } catch {
      // Full or forbidden: then it lasts as long as the page.
    }
  },
})

/** For as long as the tab is open. */
export const tabStorage = storageOf('sessionStorage')
export const browserStorage = storageOf('localStorage')
