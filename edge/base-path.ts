/** Every route of the API is served at this path and at the bare one: they are one route. */
export const BASE = '/api/v1'

export const withoutBase = (path: string): string => (path.startsWith(`${BASE}/`) ? path.slice(BASE.length) : path)
