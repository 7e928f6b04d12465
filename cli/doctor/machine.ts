/** The machine under the platform: room on the disk of the data folder, and memory as a container limits it. Reads only. */
import { readFile, statfs } from 'node:fs/promises'
import { totalmem } from 'node:os'
import { humanBytes } from '../human.ts'
import { Broken, type Family, type Finding, ok, unseen, unseenFamily, warning } from './check.ts'
import type { Place } from './place.ts'

const GB = 1e9
/** The log refuses to take events when its disk is full: there must be time to act before that. */
const DISK_WARN = { bytes: 5 * GB, share: 0.1 }
const DISK_BROKEN_BYTES = 0.5 * GB
/** The embedded form with a lake-writer and its PostgreSQL; see "Capacity planning" in docs/operations. */
const MEMORY_MIN = { embedded: 2 * GB, role: 0.5 * GB }
const CGROUP = '/sys/fs/cgroup'

export function machineFamily({ config, isElsewhere, platform, processes }: Place): Family {
  if (isElsewhere) return unseenFamily('machine', 'disk and memory are seen on their own machine only')
  const isEmbedded = platform !== null && processes.every(({ role }) => role === 'worker')
  return {
    part: 'machine',
    checks: [
      {
        name: `the disk of ${config.dataDir} has room`,
        matters: 'On a full disk nothing is accepted any more, and PostgreSQL stops.',
        remedy:
          'Make room, or move the data folder to a larger disk. The log gives back what is older than its retention; "streamforge lake expire" drops old snapshots.',
        async run() {
          const { bavail, blocks, bsize } = await statfs(config.dataDir)
          return diskFinding(bavail * bsize, blocks * bsize)
        },
      },
      {
        name: 'there is memory enough',
        matters: 'A process beyond its limit is killed; what it had not written is read again, over and over.',
        remedy: 'Raise the limit of the container: docs/operations/capacity.md has what each role takes.',
        run: async () => memoryFinding(await memoryLimit(), isEmbedded ? MEMORY_MIN.embedded : MEMORY_MIN.role),
      },
    ],
  }
}

/** @throws Broken where the next events may be refused */
export function diskFinding(freeBytes: number, totalBytes: number): Finding {
  const text = `${humanBytes(freeBytes)} of ${humanBytes(totalBytes)} are free`
  if (freeBytes < DISK_BROKEN_BYTES) throw new Broken(`Only ${text}.`)
  return freeBytes < DISK_WARN.bytes || freeBytes < totalBytes * DISK_WARN.share ? warning(`Only ${text}.`) : ok(text)
}

/** @param limit in bytes; null: the machine is the limit, and unknown */
export function memoryFinding(limit: { bytes: number; isContainers: boolean } | null, wantedBytes: number): Finding {
  if (limit === null) return unseen('the limit is not known')
  const text = `${humanBytes(limit.bytes)}${limit.isContainers ? ', the limit of this container' : ' in this machine'}`
  return limit.bytes < wantedBytes ? warning(`There are ${text}; ${humanBytes(wantedBytes)} are wanted.`) : ok(text)
}

async function memoryLimit(): Promise<{ bytes: number; isContainers: boolean }> {
  const machine = totalmem()
  for (const path of [`${CGROUP}/memory.max`, `${CGROUP}/memory/memory.limit_in_bytes`]) {
    const bytes = Number(await readFile(path, 'utf8').catch(() => ''))
    // "max" is no number, and version 1 tells one beyond all machines.
    if (bytes > 0 && bytes < machine) return { bytes, isContainers: true }
  }
  return { bytes: machine, isContainers: false }
}
