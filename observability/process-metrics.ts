/**
 * The registry of a process of ours: the process itself (CPU, memory, event loop), which build it is, and how much room its data folder has. Made once in a process, by whatever composes it;
 * threads have plain registries of their own.
 *
 * Invariant: every series says which component it is of, so that those of several threads of one process stay apart in one text.
 */
import type { StatsFs } from 'node:fs'
import { statfs } from 'node:fs/promises'
import { Gauge } from 'prom-client'
import { createRegistry, type Registry } from './metrics.ts'

export interface ProcessMetricsOptions {
  /** `edge`, `streams`, `lake-writer`, `worker`. */
  component: string
  version: string
  /** Where it keeps what it keeps. */
  dataDir: string
}

export function createProcessRegistry({ component, version, dataDir }: ProcessMetricsOptions): Registry {
  const registry = createRegistry({ processMetrics: true, labels: { component } })
  const registers = [registry]
  new Gauge({
    name: 'streamforge_build_info',
    help: 'Always 1: which version of StreamForge runs, on which Node.',
    labelNames: ['version', 'node'],
    registers,
  }).set({ version, node: process.versions.node }, 1)
  /** Each asks for itself, since all of a page are collected at once. */
  const disk = (name: string, help: string, bytesOf: (found: StatsFs) => number) =>
    new Gauge({
      name,
      help,
      registers,
      async collect() {
        // A folder that is not there yet, or no longer, has no figures rather than wrong ones.
        const found = await statfs(dataDir).catch(() => null)
        if (found === null) this.remove()
        else this.set(bytesOf(found))
      },
    })
  disk(
    'streamforge_data_disk_size_bytes',
    'Size of the file system that the data folder is on.',
    ({ blocks, bsize }) => blocks * bsize,
  )
  disk(
    'streamforge_data_disk_free_bytes',
    'What is free on it for this process.',
    ({ bavail, bsize }) => bavail * bsize,
  )
  return registry
}
