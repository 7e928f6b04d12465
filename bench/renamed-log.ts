/** A log whose input topics have a prefix in Kafka, so that several forms of the same events lie side by side. Nothing but names is changed. */
import type { EventLog, SubscriptionHandler, TopicPartition } from '../streams/log/event-log.ts'
import { partitionKey } from '../streams/log/event-log.ts'

/** @param onFirst called before the first record is handed over */
export function withTopicPrefix(
  log: EventLog,
  topics: readonly string[],
  prefix: string,
  onFirst: () => void = () => {},
): EventLog {
  const outer = new Map(topics.map((name) => [name, prefix + name]))
  const inner = new Map(topics.map((name) => [prefix + name, name]))
  const toKafka = (name: string): string => outer.get(name) ?? name
  const fromKafka = <T extends TopicPartition>(at: T): T => ({ ...at, topic: inner.get(at.topic) ?? at.topic })
  let first = true

  return {
    ...log,
    bounds: (at) => log.bounds({ ...at, topic: toKafka(at.topic) }),
    read: (at, offset, max) => log.read({ ...at, topic: toKafka(at.topic) }, offset, max),
    async append(records) {
      const positions = await log.append(records.map((record) => ({ ...record, topic: toKafka(record.topic) })))
      return positions.map(fromKafka)
    },
    subscribe(group, wanted) {
      const subscription = log.subscribe(group, wanted.map(toKafka))
      return {
        ...subscription,
        run: (handler: SubscriptionHandler) =>
          subscription.run({
            async assigned(partitions) {
              const starts = await handler.assigned(partitions.map(fromKafka))
              return new Map(partitions.map((at) => [partitionKey(at), starts.get(partitionKey(fromKafka(at)))!]))
            },
            revoked: (partitions) => handler.revoked(partitions.map(fromKafka)),
            batch(batch) {
              if (first) {
                first = false
                onFirst()
              }
              return handler.batch(fromKafka(batch))
            },
          }),
        commit: (at, nextOffset) => subscription.commit({ ...at, topic: toKafka(at.topic) }, nextOffset),
      }
    },
  }
}
