/** What the manifests of a task follow in every store: how many are kept, which files that frees, how a task that was replaced is told. Pure. */
import type { TopicPartition } from '../../streams/log/event-log.ts'
import { Fenced, type Manifest } from '../../streams/runtime/ports.ts'

/** The newest one, and two to fall back to when its files are lost or corrupt. */
export const MANIFESTS_KEPT = 3

/** The files that only forgotten manifests name, ascending: nothing can need them again. */
export function releasedFiles(kept: readonly Manifest[], forgotten: readonly Manifest[]): string[] {
  const needed = new Set(kept.flatMap((manifest) => manifest.files))
  return [...new Set(forgotten.flatMap((manifest) => manifest.files))].filter((file) => !needed.has(file)).sort()
}

/** @param current the partition's epoch; null when nobody has begun one. */
export function fencedAt(at: TopicPartition, epoch: number, current: number | null): Fenced {
  const where = `${at.topic}[${at.partition}]`
  return new Fenced(
    at,
    current === null
      ? `${where} has no epoch: begin one before writing for it.`
      : `${where} belongs to epoch ${current} now; this task has epoch ${epoch} and must stop. Another process took the partition over.`,
  )
}
