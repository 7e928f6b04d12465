/** What a `REDIS_URL` may be: one server, or some nodes of a cluster. Imports nothing, so that the configuration can check it. */

/**
 * The servers of a `REDIS_URL`. Those after the first may be just `host:port`; user and password are the first one's for all.
 * @throws RangeError for what is no such URL; the message does not quote it, since it may hold a password
 */
export function parseRedisUrls(text: string): URL[] {
  const [first = '', ...others] = text.split(',').map((part) => part.trim())
  const all = [first, ...others.map((part) => (part.includes('://') ? part : `${first.split('://')[0]}://${part}`))]
  return all.map((part) => {
    if (!URL.canParse(part) || !/^rediss?:\/\/./.test(part) || !/^(\/\d*)?$/.test(new URL(part).pathname))
      throw new RangeError('must be a URL like redis://host:6379, or several with commas between them')
    const url = new URL(part)
    if (!url.hostname) throw new RangeError('must name a host, like redis://host:6379')
    return url
  })
}

export function isRedisUrl(text: string): boolean {
  try {
    return parseRedisUrls(text).length > 0
  } catch {
    return false
  }
}
