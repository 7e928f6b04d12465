/**
 * The write keys as the edge knows them: all in memory, so that a request waits for no database. They are read anew every few seconds, and at once by the edge that changed one.
 *
 * Invariants: while the database is away, the keys that were known go on to hold; a key is compared by its hash, in a time that says nothing of it.
 */
import type { Clock, EdgeLogger, WriteKeyRow } from '../../ports.ts'
import { claimedId, type KeyMaker } from './key-text.ts'

/** A key as others may see it: never the key itself. */
export interface WriteKey {
  id: string
  name: string
  /** Of pages that may send with it; null: all. */
  origins: ReadonlySet<string> | null
  /** null: as many as there are. */
  eventsPerMinute: number | null
  /** Whether an event must say that whom it is about agrees. */
  requiresConsent: boolean
}

export interface WriteKeys {
  /** The key of this text, or null. */
  find(text: string): WriteKey | null
  /** Whether a page of this origin may send with the key of the text, or, where none is given, with any. */
  admits(origin: string, text: string | null): boolean
  /** Reads them anew. @throws when the database is away */
  refresh(): Promise<void>
  /** Reads them anew every few seconds, until closed. */
  start(): void
  close(): Promise<void>
}

export interface WriteKeysDeps {
  /** The key of the platform itself, which is not in the database: any page may send with it, as much as it likes. */
  builtIn: string
  load: () => Promise<readonly WriteKeyRow[]>
  hash: KeyMaker['hash']
  clock: Pick<Clock, 'sleep'>
  logger: Pick<EdgeLogger, 'warn' | 'info'>
  refreshMs?: number
}

export const BUILT_IN: WriteKey = {
  id: 'default',
  name: 'default',
  origins: null,
  eventsPerMinute: null,
  requiresConsent: false,
}
const REFRESH_MS = 3_000
/** Nobody's key is longer, and hashing takes as long as the text. */
const TEXT_MAX = 500

interface Known {
  key: WriteKey
  hash: Uint8Array
}

export function createWriteKeys({
  builtIn,
  load,
  hash,
  clock,
  logger,
  refreshMs = REFRESH_MS,
}: WriteKeysDeps): WriteKeys {
  const own: Known = { key: BUILT_IN, hash: hash(builtIn) }
  const stopping = new AbortController()
  let known: ReadonlyMap<string, Known> = new Map()
  /** Counts refreshes: what was asked earlier must not overwrite what was asked later. */
  let asked = 0
  let answered = 0
  let running: Promise<void> | undefined

  async function refresh(): Promise<void> {
    const turn = ++asked
    const rows = await load()
    if (turn < answered) return
    answered = turn
    known = new Map(rows.map((row) => [row.id, knownOf(row)]))
  }

  async function watch(): Promise<void> {
    let failing = false
    while (!stopping.signal.aborted) {
      await clock.sleep(refreshMs, stopping.signal)
      if (stopping.signal.aborted) return
      try {
        await refresh()
        if (failing) logger.info({}, 'The write keys are read again')
        failing = false
      } catch (error) {
        if (!failing) logger.warn({ err: error }, 'The write keys can not be read; those that are known go on to hold')
        failing = true
      }
    }
  }

  function find(text: string): WriteKey | null {
    if (text.length > TEXT_MAX) return null
    const claimed = known.get(claimedId(text)) ?? own
    return isSame(hash(text), claimed.hash) ? claimed.key : null
  }

  return {
    find,
    admits(origin, text) {
      const given = text === null ? null : find(text)
      // The built-in key admits every page, so without a key there is nothing to forbid.
      return given?.origins?.has(origin) ?? true
    },
    refresh,
    start() {
      running ??= watch()
    },
    async close() {
      stopping.abort()
      await running
    },
  }
}

/** In a time that does not depend on where they differ. Hashes have one length. */
function isSame(a: Uint8Array, b: Uint8Array): boolean {
  let difference = a.length ^ b.length
  for (let i = 0; i < a.length; i++) difference |= a[i]! ^ b[i]!
  return difference === 0
}

const knownOf = ({ id, name, hash, origins, events_per_minute, requires_consent }: WriteKeyRow): Known => ({
  key: {
    id,
    name,
    origins: origins && new Set(origins),
    eventsPerMinute: events_per_minute,
    requiresConsent: requires_consent,
  },
  hash,
})
