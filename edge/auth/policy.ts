/**
 * Who may call which route, on one page. What is not named needs an account: any to read, an operator's to change. So a new route is closed until somebody opens it.
 *
 * The schema registry and the lake have guards of their own, since their clients sign in differently: `registry-access.ts`, `iceberg/access.ts`.
 */
import { ROLES } from '../../db/postgres/roles.ts'
import type { Role } from '../ports.ts'

export type Needs = 'nobody' | Role

interface Rule {
  /** `*`: any. */
  method: string
  /** Without /api/v1. With a slash at its end: everything below as well. `*`: any one name. */
  path: string
  needs: Needs
}

const RULES: readonly Rule[] = [
  // Ingestion asks for a write key instead.
  { method: '*', path: '/events', needs: 'nobody' },
  { method: '*', path: '/orders', needs: 'nobody' },
  { method: '*', path: '/trips', needs: 'nobody' },
  { method: '*', path: '/v1/', needs: 'nobody' },
  // Which keys there are is the business of those who make them.
  { method: 'GET', path: '/write-keys', needs: 'operator' },
  // It asks what would be, and changes nothing.
  { method: 'POST', path: '/fraud-alerts/*/explain', needs: 'viewer' },
  // They show how the platform is, and nothing of the data: for load balancers and Prometheus.
  { method: 'GET', path: '/health', needs: 'nobody' },
  { method: 'GET', path: '/health/pipelines', needs: 'nobody' },
  { method: 'GET', path: '/metrics', needs: 'nobody' },
  // Whoever is to sign in must reach them.
  { method: 'GET', path: '/openapi.json', needs: 'nobody' },
  { method: 'POST', path: '/auth/login', needs: 'nobody' },
  { method: 'POST', path: '/auth/link', needs: 'nobody' },
  // The refresh token itself is the right to these.
  { method: 'POST', path: '/auth/refresh', needs: 'nobody' },
  { method: 'POST', path: '/auth/logout', needs: 'nobody' },
  // Who may do what, and who did.
  { method: '*', path: '/auth/links', needs: 'admin' },
  { method: '*', path: '/users', needs: 'admin' },
  { method: '*', path: '/users/', needs: 'admin' },
  { method: '*', path: '/audit', needs: 'admin' },
  // A person's data is gone after it, for good.
  { method: '*', path: '/privacy/', needs: 'admin' },
]

/** @param path without /api/v1 */
export function needsOf(method: string, path: string): Needs {
  const asked = method === 'HEAD' ? 'GET' : method
  const rule = RULES.find((r) => (r.method === '*' || r.method === asked) && covers(r.path, path))
  return rule?.needs ?? (asked === 'GET' || asked === 'OPTIONS' ? 'viewer' : 'operator')
}

function covers(rule: string, path: string): boolean {
  if (rule.endsWith('/')) return path.startsWith(rule)
  const [names, asked] = [rule.split('/'), path.split('/')]
  return names.length === asked.length && names.every((name, i) => name === '*' || name === asked[i])
}

export const isEnough = (role: Role, needs: Needs): boolean =>
  needs === 'nobody' || ROLES.indexOf(role) >= ROLES.indexOf(needs)
