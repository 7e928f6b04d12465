/** Which methods a path has: for the `Allow` header of a 405. */
interface Route {
  method: string
  path: string
}

/** @param routes Hono's; middleware (method ALL) is left out. @returns for a path; asked for every request, so that paths without parameters are looked up */
export function allowedMethods(routes: readonly Route[]): (path: string) => readonly string[] {
  const patterns = new Map<string, { matches: RegExp; methods: Set<string> }>()
  for (const { method, path } of routes) {
    if (method === 'ALL' || path.includes('*')) continue
    let known = patterns.get(path)
    if (!known) {
      const source = path
        .split('/')
        .map((part) => (part.startsWith(':') ? '[^/]+' : part.replace(/[.+?^${}()|[\]\\]/g, '\\$&')))
      known = { matches: new RegExp(`^${source.join('/')}$`), methods: new Set() }
      patterns.set(path, known)
    }
    known.methods.add(method)
    if (method === 'GET') known.methods.add('HEAD')
  }
  const all = [...patterns.values()]
  const methodsOf = (path: string) => [
    ...new Set(all.filter((p) => p.matches.test(path)).flatMap((p) => [...p.methods])),
  ]
  const fixed = new Map([...patterns.keys()].filter((p) => !p.includes(':')).map((p) => [p, methodsOf(p)]))
  return (path) => fixed.get(path) ?? methodsOf(path)
}
