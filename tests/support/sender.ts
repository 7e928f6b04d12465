/** Records for the log of a cluster as the edge would append them, without an edge: for loads that are about what reads them. */
import { join } from 'node:path'
import { createEncoder } from '../../streams/contract/codec.ts'
import { parseEvent } from '../../streams/contract/input.ts'
import { CLICKSTREAM } from '../../streams/contract/topics.ts'
import { openEmbeddedRegistry } from '../../streams/log/embedded-registry.ts'
import type { EventLog, NewRecord } from '../../streams/log/event-log.ts'
import { openKafkaLog } from '../../streams/log/kafka.ts'
import { EMBEDDED_FOLDERS } from '../../streams/stores.ts'

export interface Sender {
  readonly log: EventLog
  /** A page view, now. */
  click(id: string, user: string): NewRecord
  append(records: readonly NewRecord[]): Promise<unknown>
  close(): Promise<void>
}

/** @param env of the platform's processes */
export async function openSender(env: Record<string, string>): Promise<Sender> {
  const log = await openKafkaLog({ brokers: env.KAFKA_BROKERS!.split(','), clientId: 'sender' })
  const registry = openEmbeddedRegistry(join(env.STREAMFORGE_DATA_DIR!, EMBEDDED_FOLDERS.registry))
  const encode = await createEncoder(CLICKSTREAM, registry)
  return {
    log,
    click(id, user) {
      const fields = { event_id: id, event_type: 'page_view', user_id: user, page_url: `/${user}` }
      const parsed = parseEvent(CLICKSTREAM, fields, { receivedAt: Date.now(), currency: 'TRY', newId: () => '' })
      if (!parsed.ok) throw new Error(parsed.problem.message)
      return { topic: CLICKSTREAM, key: user, value: encode(parsed.event) }
    },
    append: (records) => log.append(records),
    async close() {
      await log.close()
      await registry.close()
    },
  }
}
