/**
 * `running.json` as `up` writes it: when everything listens, and again when what it tells has changed. `platform.ts` reads it.
 * Invariant: once it is removed, nothing writes it again.
 */
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { writeJsonFile } from './json-file.ts'
import { RUNNING_FILE, type RunningPlatform } from './platform.ts'
import type { Addresses } from './processes.ts'

export interface RunningFile {
  write(): Promise<void>
  /** Of a change only: a disk that does not take it has worse to tell. */
  update(): void
  remove(): Promise<void>
}

/** @param describe what holds at that moment, beside what never changes: that it is this process, of this folder */
export function runningFile(
  dataDir: string,
  startedMs: number,
  describe: () => Addresses & Pick<RunningPlatform, 'edge_url' | 'workflows'>,
): RunningFile {
  const path = join(dataDir, RUNNING_FILE)
  const started_at = new Date(startedMs).toISOString()
  const running = (): RunningPlatform => ({ pid: process.pid, started_at, ...describe(), data_dir: dataDir })
  let isRemoved = false
  let last: Promise<void> = Promise.resolve()
  const write = (): Promise<void> => {
    const written = last.then(() => (isRemoved ? undefined : writeJsonFile(path, running())))
    last = written.catch(() => {})
    return written
  }
  return {
    write,
    update: () => void write().catch(() => {}),
    async remove() {
      isRemoved = true
      await last
      await rm(path, { force: true })
    },
  }
}
