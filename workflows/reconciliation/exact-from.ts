/** From which event time on it is known for certain what the streams did with each record, by partition. */
import type { InputTopic } from '../../streams/contract/topics.ts'
import type { PartitionRun } from '../../streams/shadow/index.ts'

export function exactFromOf(partitions: readonly PartitionRun[], topic: InputTopic) {
  const known = new Map(
    partitions
      .filter((run) => run.topic === topic && run.passed)
      .map(({ partition, exactFromMs }) => [partition, exactFromMs ?? Number.NEGATIVE_INFINITY]),
  )
  return {
    of: (partition: number): number => known.get(partition) ?? Number.NEGATIVE_INFINITY,
    /** Of all of them. */
    earliestMs: Math.min(Number.POSITIVE_INFINITY, ...known.values()),
  }
}
