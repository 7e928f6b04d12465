/** Trino as one URL names it, `https://user:password@host:port`: its catalog over the lake is called `lake`. */
import { createTrino, type Trino } from './client.ts'

export function trinoAt(trinoUrl: string): Trino {
  const url = new URL(trinoUrl)
  const [user, password] = [decodeURIComponent(url.username), decodeURIComponent(url.password)]
  return createTrino({ url: url.origin, user: user || 'streamforge', catalog: 'lake', ...(password && { password }) })
}
