/**
 * A member of a consumer group as a process, for tests that kill and freeze it: `member.ts <json>`. Its checkpoints are files, one per partition, that hold the next
 * offset; it prints what it does, a line each: `assigned t-0,t-1`, `revoked t-0`, `t-0 <offset>` per record. Ends in order on SIGTERM.
 */
import { readFileSync, renameSync, writeFileSync } from 'node:fs'
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
const fileOf = (key: string): string => join(task.folder, key)
/** 0: nobody has read it before. */
function checkpointOf(key: string): number {
  try {
    return Number(readFileSync(fileOf(key), 'utf8'))
  } catch {
    return 0
  }
}
/** Whole, whenever this process is killed or frozen; and never back, where others have read on while it was frozen. */
function checkpoint(key: string): void {
  const offset = next.get(key)!
  if (offset <= checkpointOf(key)) return
  const aside = `${fileOf(key)}.${process.pid}`
  writeFileSync(aside, String(offset))
  renameSync(aside, fileOf(key))
}
const next = new Map<string, number>()

const log = await openKafkaLog(task.log)
const subscription = log.subscribe(task.group, task.topics)
process.once('SIGTERM', () => void subscription.stop())
await subscription.run({
  async assigned(partitions) {
    for (const key of partitions.map(partitionKey)) next.set(key, checkpointOf(key))
    say(`assigned ${partitions.map(partitionKey).join()}`)
    return next
  },
  async revoked(partitions) {
    for (const key of partitions.map(partitionKey)) checkpoint(key)
    say(`revoked ${partitions.map(partitionKey).join()}`)
  },
  async batch(batch) {
    const key = partitionKey(batch)
    for (const { offset } of batch.records) {
      say(`${key} ${offset}`)
      next.set(key, offset + 1)
    }
    checkpoint(key)
    await subscription.commit(batch, next.get(key)!).catch(() => {}) // for lag tools only
  },
})
await log.close()
say('ended')
