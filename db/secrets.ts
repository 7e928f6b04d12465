/**
 * The platform's own secrets: what the environment does not give is made once and kept in the data folder, readable by its owner only.
 *
 * Invariant: a secret that was handed out stays the same over restarts. The admin's password is not here: only its hash exists, in `users`.
 */
import { randomBytes } from 'node:crypto'
import { chmod, mkdir, open, readFile, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import type { Config } from './config.ts'
import { Secret } from './secret.ts'

export interface Secrets {
  /** Lets a client send events. */
  readonly writeKey: Secret
  readonly jwtSecret: Secret
  /** Of the embedded PostgreSQL; unused with DATABASE_URL. */
  readonly databasePassword: Secret
  /** Of the Redis that `up --cluster` starts; unused with REDIS_URL. */
  readonly redisPassword: Secret
}

const FILE = 'secrets.json'
const stored = z.object({
  writeKey: z.string().min(1).optional(),
  jwtSecret: z.string().min(32).optional(),
  databasePassword: z.string().min(1).optional(),
  redisPassword: z.string().min(1).optional(),
})
type Stored = z.output<typeof stored>

/**
 * @param folder the data folder; it is made if missing. The caller holds its lock: two first starts at once would make two sets of secrets.
 * @throws Error when the file exists and can't be understood.
 */
export async function loadSecrets(folder: string, config: Pick<Config, 'writeKey' | 'jwtSecret'>): Promise<Secrets> {
  const path = join(folder, FILE)
  const known = await read(path)
  const kept: Stored = { ...known }
  if (!config.writeKey) kept.writeKey ??= `wk_${randomBytes(24).toString('base64url')}`
  if (!config.jwtSecret) kept.jwtSecret ??= randomBytes(48).toString('base64url')
  kept.databasePassword ??= randomBytes(24).toString('base64url')
  kept.redisPassword ??= randomBytes(24).toString('base64url')
  if (JSON.stringify(kept) !== JSON.stringify(known)) await write(folder, path, kept)
  return Object.freeze({
    writeKey: config.writeKey ?? new Secret(kept.writeKey!),
    jwtSecret: config.jwtSecret ?? new Secret(kept.jwtSecret!),
    databasePassword: new Secret(kept.databasePassword),
    redisPassword: new Secret(kept.redisPassword),
  })
}

/** What signs access tokens, for whoever signs one without starting the platform. @returns null where none has been made yet: none is made here */
export async function jwtSecretOf(folder: string, config: Pick<Config, 'jwtSecret'>): Promise<Secret | null> {
  if (config.jwtSecret) return config.jwtSecret
  const { jwtSecret } = await read(join(folder, FILE))
  return jwtSecret === undefined ? null : new Secret(jwtSecret)
}

async function read(path: string): Promise<Stored> {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {}
    throw error
  }
  // A copy or a restored backup may have opened it to others.
  await chmod(path, 0o600)
  try {
    return stored.parse(JSON.parse(text))
  } catch {
    // The parser's message could quote the secrets.
    throw new Error(
      `${path} is damaged: it should be a JSON object of texts. Restore it from a backup, or remove it: new secrets are made at the next start, ` +
        'and then clients need the new write key and users sign in again.',
    )
  }
}

/** Written aside and renamed: a crash leaves the old file or the new one, never half. */
async function write(folder: string, path: string, secrets: Stored): Promise<void> {
  await mkdir(folder, { recursive: true })
  const aside = `${path}.${process.pid}.tmp`
  const file = await open(aside, 'w', 0o600)
  try {
    await file.writeFile(`${JSON.stringify(secrets, null, 2)}\n`)
    await file.sync()
  } finally {
    await file.close()
  }
  await rename(aside, path)
}
