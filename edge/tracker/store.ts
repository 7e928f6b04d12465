/**
 * What the tracker keeps in the browser: localStorage under a prefix of its own, so that it outlives reloads and tabs share it. No cookies. Where a browser refuses
 * to store, or has no room, it is kept in memory for as long as the page lives.
 */
export interface Store {
  get(name: string): string | null
  set(name: string, value: string): void
  remove(name: string): void
  /** In order. */
  names(): string[]
}

export function openStore(prefix: string): Store {
  const memory = new Map<string, string>()
  // Reading the property alone throws where storage is blocked.
  const attempt = <T>(work: () => T, otherwise: T): T => {
    try {
      return work()
    } catch {
      return otherwise
    }
  }
  return {
    get: (name) => memory.get(name) ?? attempt(() => localStorage.getItem(prefix + name), null),
    set(name, value) {
      const isStored = attempt(() => {
        localStorage.setItem(prefix + name, value)
        return true
      }, false)
      if (!isStored) memory.set(name, value)
    },
    remove(name) {
      memory.delete(name)
      attempt(() => localStorage.removeItem(prefix + name), undefined)
    },
    names() {
      const stored = attempt(() => Object.keys(localStorage), [])
        .filter((key) => key.startsWith(prefix))
        .map((key) => key.slice(prefix.length))
      return [...stored, ...memory.keys()].sort()
    },
  }
}
