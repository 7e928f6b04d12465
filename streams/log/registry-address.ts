/** Where a schema registry is and what opens it, of a URL such as `https://user:password@registry.example/path`. */
export interface RegistryAddress {
  /** Without the password, and without a slash at its end. */
  base: string
  auth?: { username: string; password: string }
  /** With the same, for whoever asks by HTTP. */
  headers: Record<string, string>
}

export function registryAddress(text: string): RegistryAddress {
  const url = new URL(text)
  const base = `${url.origin}${url.pathname.replace(/\/+$/, '')}`
  if (!url.username && !url.password) return { base, headers: {} }
  const username = decodeURIComponent(url.username)
  const password = decodeURIComponent(url.password)
  const credentials = Buffer.from(`${username}:${password}`).toString('base64')
  return { base, auth: { username, password }, headers: { authorization: `Basic ${credentials}` } }
}
