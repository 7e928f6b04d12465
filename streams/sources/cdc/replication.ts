/**
 * A connection in replication mode: a slot with an exported snapshot, and the stream of changes with its acknowledgements. postgres.js carries the bytes in both
 * directions and holds the server back when we are slow; `pg-logical-replication` was looked at and not taken, because its timer acknowledges what was received,
 * whether or not it was kept.
 *
 * Invariant: only what {@link ChangeStream.acknowledge} was told is acknowledged. A silent server is given up.
 * Source: "Streaming Replication Protocol" in PostgreSQL's documentation.
 */
import type { Duplex } from 'node:stream'
import postgres from 'postgres'
import type { Clock } from '../../time/clock.ts'
import { quoteName, quoteText } from './catalog.ts'
import { formatLsn, parseLsn } from './lsn.ts'
import { readInt64 } from './pgoutput.ts'
import { TEXT_SETTINGS } from './values.ts'

/** What the server sent. @property data absent in a keepalive @property lsn of the change; of a keepalive, up to where everything was sent */
export interface Received {
  readonly lsn: number
  readonly data: Buffer | null
}

export interface ChangeStream {
  /** The next; null when the stream was stopped. Rejects when it broke. */
  next(): Promise<Received | null>
  /** Whether `next` would wait. */
  readonly isEmpty: boolean
  /** Everything up to there is kept; the server may forget it. Told with the next status, within a second. */
  acknowledge(lsn: number): void
  /** `next` gives nothing more. */
  stop(): void
  /** Tells the last acknowledgement and leaves. */
  close(): Promise<void>
}

export interface ReplicationSession {
  /** @returns where the slot begins, and the name of a snapshot of that moment, which lives until the session does something else */
  createSnapshotSlot(slot: string): Promise<{ lsn: number; snapshot: string }>
  /** Takes the slot. @throws where another reads it */
  stream(slot: string, publication: string): Promise<ChangeStream>
  close(): Promise<void>
}

const STATUS_MS = 1_000
/** The server is asked for a sign of life this often … */
const PING_MS = 10_000
/** … and given up after so long without any. */
const SILENCE_MS = 60_000
/** What was received and not yet worked on. */
const WAITING_BYTES_MAX = 8 * 1024 * 1024
/** Between PostgreSQL's epoch, 2000-01-01, and 1970. */
const EPOCH_SHIFT_MS = 946_684_800_000
const [CHANGE, KEEPALIVE, STATUS] = [0x77, 0x6b, 0x72] as const
const CHANGE_HEADER_BYTES = 25

export function connectReplication(url: string, clock: Clock): ReplicationSession {
  const options = {
    max: 1,
    connect_timeout: 10,
    // The session is the slot's, or the snapshot's: it ends when we say so.
    idle_timeout: 0,
    max_lifetime: null,
    fetch_types: false,
    onnotice: () => {},
    connection: {
      application_name: 'streamforge-cdc',
      replication: 'database',
      // A session that exports a snapshot is idle in a transaction while others read by it.
      idle_in_transaction_session_timeout: 0,
      statement_timeout: 0,
      ...TEXT_SETTINGS,
    },
  }
  const sql = postgres(url, options as unknown as postgres.Options<Record<string, never>>)
  const close = (): Promise<void> => sql.end({ timeout: 0 })
  return {
    async createSnapshotSlot(slot) {
      const [made] = await sql
        .unsafe(`CREATE_REPLICATION_SLOT ${quoteName(slot)} TEMPORARY LOGICAL pgoutput (SNAPSHOT 'export')`)
        .simple()
      return { lsn: parseLsn(made!.consistent_point), snapshot: made!.snapshot_name }
    },
    async stream(slot, publication) {
      const options_ = `proto_version '1', publication_names ${quoteText(quoteName(publication))}`
      const stream = (await sql
        .unsafe(`START_REPLICATION SLOT ${quoteName(slot)} LOGICAL ${formatLsn(0)} (${options_})`)
        .writable()) as unknown as Duplex
      return openChangeStream(stream, clock, close)
    },
    close,
  }
}

function openChangeStream(stream: Duplex, clock: Clock, closeSession: () => Promise<void>): ChangeStream {
  const waiting: Received[] = []
  let first = 0
  let waitingBytes = 0
  let ended: Error | null = null
  let isStopped = false
  let closing: Promise<void> | null = null
  let wake: () => void = () => {}
  let acknowledged = 0
  let toldLsn = 0
  let toldMs = clock.now()
  let heardMs = clock.now()

  function status(asks: boolean): void {
    const bytes = Buffer.alloc(34)
    bytes[0] = STATUS
    for (const at of [1, 9, 17]) bytes.writeBigInt64BE(BigInt(acknowledged), at) // written, flushed, applied
    bytes.writeBigInt64BE(BigInt(clock.now() - EPOCH_SHIFT_MS) * 1_000n, 25)
    bytes[33] = asks ? 1 : 0
    toldLsn = acknowledged
    toldMs = clock.now()
    if (!stream.destroyed) stream.write(bytes)
  }
  function end(error: Error): void {
    ended ??= error
    wake()
  }
  stream.on('data', (bytes: Buffer) => {
    heardMs = clock.now()
    if (bytes[0] === CHANGE) {
      waiting.push({ lsn: readInt64(bytes, 1), data: bytes.subarray(CHANGE_HEADER_BYTES) })
      waitingBytes += bytes.length
      if (waitingBytes > WAITING_BYTES_MAX) stream.pause()
    } else if (bytes[0] === KEEPALIVE) {
      waiting.push({ lsn: readInt64(bytes, 1), data: null })
      if (bytes[17] === 1) status(false)
    }
    wake()
  })
  stream.on('error', end)
  stream.on('close', () => end(new Error('PostgreSQL has ended the replication stream.')))
  stream.on('end', () => end(new Error('PostgreSQL has ended the replication stream.')))

  const stopping = new AbortController()
  async function keepAlive(): Promise<void> {
    while (!stopping.signal.aborted && !ended) {
      await clock.sleep(STATUS_MS, stopping.signal)
      const nowMs = clock.now()
      // A stream that we hold back ourselves is not silent.
      if (!stream.isPaused() && nowMs - heardMs > SILENCE_MS) {
        end(new Error(`PostgreSQL has been silent for ${SILENCE_MS / 1_000} s.`))
        stream.destroy()
      } else if (nowMs - toldMs >= PING_MS) status(true)
      else if (acknowledged !== toldLsn) status(false)
    }
  }
  const alive = keepAlive()

  return {
    get isEmpty() {
      return first === waiting.length
    },
    async next() {
      if (isStopped) return null
      // What was received and not read yet goes with the connection: whoever has the slot then must not be overtaken.
      if (ended) throw ended
      while (first === waiting.length) {
        await new Promise<void>((resolve) => {
          wake = resolve
        })
        if (isStopped) return null
        if (ended) throw ended
      }
      const received = waiting[first]!
      first++
      waitingBytes -= received.data ? received.data.length + CHANGE_HEADER_BYTES : 0
      if (first === waiting.length) {
        waiting.length = 0
        first = 0
      } else if (first > 4_096) {
        waiting.splice(0, first)
        first = 0
      }
      if (stream.isPaused() && waitingBytes < WAITING_BYTES_MAX / 2) stream.resume()
      return received
    },
    acknowledge(lsn) {
      acknowledged = Math.max(acknowledged, lsn)
    },
    stop() {
      isStopped = true
      wake()
    },
    close: () => (closing ??= close()),
  }

  async function close(): Promise<void> {
    stopping.abort()
    await alive
    if (!ended) status(false)
    ended ??= new Error('The replication stream was closed.')
    await closeSession()
  }
}
