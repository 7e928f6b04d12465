/** A stretch of a partition of the log, in pages: bounded in records, and other requests have their turn in between. */
import { type EventLog, type LogRecord, OffsetOutOfRange, type TopicPartition } from '../log/event-log.ts'

export type ReadableLog = Pick<EventLog, 'bounds' | 'read' | 'partitionCount' | 'identity'>

const PAGE = 1_000

/** Records from `from` to before `to`; retention may remove some meanwhile, and then it goes on behind them. */
export async function* scanLog(
  log: Pick<ReadableLog, 'read'>,
  at: TopicPartition,
  from: number,
  to: number,
): AsyncGenerator<LogRecord[]> {
  for (let offset = from; offset < to; ) {
    let records: LogRecord[]
    try {
      records = await log.read(at, offset, Math.min(PAGE, to - offset))
    } catch (error) {
      if (!(error instanceof OffsetOutOfRange)) throw error
      offset = error.earliest
      continue
    }
    const page = records.filter((record) => record.offset < to)
    if (page.length === 0) return
    yield page
    offset = page.at(-1)!.offset + 1
    await new Promise((resolve) => setImmediate(resolve))
  }
}
