/**
 * What a process of ours may write to its log, for every test that starts one: JSON lines of one form, and none of the secrets that it was given or has made.
 *
 * `processes.ts` holds every process to this when a test file is over; a test that learns a further secret (a password, a token) tells it by {@link neverLogged}.
 */

/** What processes are given by their environment: the value, or the password in the URL. */
const SECRET_VARIABLES =
  /^(STREAMFORGE_(WRITE_KEY|ADMIN_PASSWORD|JWT_SECRET|TOKEN)|AWS_SECRET_ACCESS_KEY|AWS_SESSION_TOKEN|KAFKA_SASL_PASSWORD)$/
const SECRET_URLS = /^(DATABASE_URL|REDIS_URL|SCHEMA_REGISTRY_URL|TRINO_URL|WAREHOUSE_URL)$/
/** Shorter ones would be found in words. */
const LENGTH_MIN = 6
const LOGGING = new Set(['up', 'edge', 'streams', 'lake-writer', 'worker', 'cdc'])
const LEVELS = new Set(['trace', 'debug', 'info', 'warn', 'error', 'fatal'])

const told = new Set<string>()

/** @returns the secret, so that noting it is part of getting it */
export function neverLogged(secret: string): string {
  told.add(secret)
  return secret
}

export function secretsOf(env: Readonly<Record<string, string | undefined>>): string[] {
  return Object.entries(env).flatMap(([name, value = '']) => {
    if (SECRET_VARIABLES.test(name)) return [value]
    if (!SECRET_URLS.test(name)) return []
    const passwords = value.split(',').map((url) => (URL.canParse(url) ? new URL(url).password : ''))
    return passwords.flatMap((password) => [password, decodeURIComponent(password)])
  })
}

export interface Said {
  args: readonly string[]
  /** Its standard error. */
  err: string
  secrets: readonly string[]
}

/** What is wrong with what was written, a sentence each; without the secret itself. */
export function complaints({ args: [command = ''], err, secrets }: Said): string[] {
  const found: string[] = []
  for (const secret of new Set([...secrets, ...told])) {
    if (secret.length < LENGTH_MIN) continue
    const line = err.split('\n').find((each) => each.includes(secret))
    if (line !== undefined) found.push(`${command} wrote a secret: ${line.replaceAll(secret, '[here]').slice(0, 500)}`)
  }
  if (LOGGING.has(command)) found.push(...linesOf(err).flatMap((line) => lineComplaint(command, line)))
  return found
}

/** Log lines; what else is there are sentences for whoever sits at the terminal. */
export const linesOf = (err: string): string[] => err.split('\n').filter((line) => line.startsWith('{'))

function lineComplaint(command: string, line: string): string[] {
  let parsed: Record<string, unknown>
  try {
    parsed = JSON.parse(line)
  } catch {
    return [`${command} wrote a line that is no JSON: ${line.slice(0, 300)}`]
  }
  const { level, time, component, msg, trace_id, span_id } = parsed
  const isWell =
    LEVELS.has(String(level)) &&
    /^\d{4}-\d\d-\d\dT[\d:.]+Z$/.test(String(time)) &&
    typeof component === 'string' &&
    component !== '' &&
    typeof msg === 'string' &&
    msg !== '' &&
    (trace_id === undefined || /^[0-9a-f]{32}$/.test(String(trace_id))) &&
    (span_id === undefined || /^[0-9a-f]{16}$/.test(String(span_id)))
  return isWell ? [] : [`${command} wrote a line without level, time, component and msg: ${line.slice(0, 300)}`]
}
