/** The server's log: written by the server itself, so that it goes on when we are gone, and bounded by us while we live and at each start. */
import { copyFile, open, stat, truncate } from 'node:fs/promises'

const BYTES_MAX = 5 * 1024 * 1024
const CHECK_EVERY_MS = 60_000

/** Keeps the newest part as `<path>.1`. The server appends (O_APPEND), so it goes on at the new end of the emptied file. */
export async function boundLog(path: string, bytesMax = BYTES_MAX): Promise<void> {
  const size = await sizeOf(path)
  if (size <= bytesMax) return
  await copyFile(path, `${path}.1`)
  await truncate(path)
}

export async function sizeOf(path: string): Promise<number> {
  return (await stat(path).catch(() => null))?.size ?? 0
}

/** @returns what ends the watch. */
export function watchLog(path: string): () => void {
  const timer = setInterval(() => {
    boundLog(path).catch(() => {
      // A full disk or a removed folder shows elsewhere; the next round tries again.
    })
  }, CHECK_EVERY_MS)
  timer.unref()
  return () => clearInterval(timer)
}

/** What was written after `from`, at most its last 4,000 bytes. */
export async function readLogFrom(path: string, from: number): Promise<string> {
  const file = await open(path, 'r')
  try {
    const { size } = await file.stat()
    const start = Math.max(Math.min(from, size), size - 4_000)
    const { buffer, bytesRead } = await file.read(Buffer.alloc(size - start), 0, size - start, start)
    return buffer.toString('utf8', 0, bytesRead).trim()
  } finally {
    await file.close()
  }
}
