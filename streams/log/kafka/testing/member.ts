/**
 * A member of a consumer group as a process, for tests that kill and freeze it: `member.ts <json>`. Its checkpoints are files, one per partition, that hold the next
 * offset; it prints what it does, a line each: `assigned t-0,t-1`, `revoked t-0`, `t-0 <offset>` per record. Ends in order on SIGTERM.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { partitionKey } from '../../event-log.ts'
import { type KafkaLogOptions, openKafkaLog } from '../../kafka.ts'

export interface MemberTask {
  folder: string
  group: string
  topics: string[]
  log: KafkaLogOptions
}

const task = JSON.parse(process.argv[2]!) as MemberTask
const say = (line: string): void => void process.stdout.write(`${line}\n`)
const checkpoint = (key: string): string => join(task.folder, key)
const next = new Map<string, number>()

const log = await openKafkaLog(task.log)
const subscription = log.subscribe(task.group, task.topics)
process.once('SIGTERM', () => void subscription.stop())
await subscription.run({
  async assigned(partitions) {
    for (const key of partitions.map(partitionKey)) {
      let offset = 0
      try {
        offset = Number(readFileSync(checkpoint(key), 'utf8'))
      } catch {
        // Nobody has read it before.
      }
      next.set(key, offset)
    }
    say(`assigned ${partitions.map(partitionKey).join()}`)
    return next
  },
  async revoked(partitions) {
    for (const key of partitions.map(partitionKey)) writeFileSync(checkpoint(key), String(next.get(key)))
    say(`revoked ${partitions.map(partitionKey).join()}`)
  },
  async batch(batch) {
    const key = partitionKey(batch)
    for (const { offset } of batch.records) {
      say(`${key} ${offset}`)
      next.set(key, offset + 1)
    }
    writeFileSync(checkpoint(key), String(next.get(key)))
    await subscription.commit(batch, next.get(key)!).catch(() => {}) // for lag tools only
  },
})
await log.close()
say('ended')
