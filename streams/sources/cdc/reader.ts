/**
 * The stream's messages in order → records, but for those that the log has already. Between the connection (`replication.ts`) and the appender.
 * Invariant: each change becomes records once, whatever the log had when the reading began; a table that has changed is written as it is from then on.
 */
import { CHANGE_POSITION, changeTopic } from '../../contract/cdc.ts'
import { partitionOf } from '../../contract/partition.ts'
import { type NewRecord, partitionKey } from '../../log/event-log.ts'
import type { Appender } from './appender.ts'
import { createTableWriter, type Origin, type TableFacts, type TableWriter, type WriterDeps } from './envelope.ts'
import type { CdcObserver } from './observer.ts'
import type { Message, Relation } from './pgoutput.ts'
import { isBehind, parsePosition } from './position.ts'
import type { Tail } from './tails.ts'

export interface ReaderDeps {
  db: string
  /** With their schemas. */
  tables: readonly string[]
  tails: ReadonlyMap<string, Tail>
  /** Of the topics of those tables. */
  partitions: ReadonlyMap<string, number>
  factsOf(relation: Relation, partitions: number): Promise<TableFacts>
  appender: Pick<Appender, 'add' | 'reached'>
  observer: Pick<CdcObserver, 'skipped' | 'tableChanged' | 'notFollowed'>
  writing: WriterDeps
}

export interface Reader {
  readonly isInTransaction: boolean
  /** @param lsn of the message */
  read(message: Message, lsn: number): Promise<void>
}

export function createReader(deps: ReaderDeps): Reader {
  const { db, tables, tails, partitions, appender, observer, writing } = deps
  /** By OID; null: not one of ours. */
  const writers = new Map<number, TableWriter | null>()
  const relations = new Map<number, Relation>()
  /** No partition has come further: commits behind it need not be looked for. */
  const logHasTo = Math.max(-1, ...[...tails.values()].map(({ last }) => last?.lsn ?? -1))
  let transaction: Extract<Message, { kind: 'begin' }> | null = null
  let lastCommitLsn: number | null = null
  let index = 0
  let skipped = 0

  const begun = () => {
    if (!transaction) throw new Error('PostgreSQL sent a change outside of a transaction.')
    return transaction
  }
  const origin = (lsn: number): Origin => {
    const { lsn: commitLsn, xid, committedUs } = begun()
    return { db, commitLsn, lsn, lastCommitLsn, xid, atUs: committedUs, index, snapshot: 'false' }
  }

  async function relation(found: Relation): Promise<void> {
    const table = `${found.schema}.${found.name}`
    const before = relations.get(found.oid)
    const changes = before ? differences(before, found) : []
    if (changes.length > 0) observer.tableChanged(table, changes)
    relations.set(found.oid, found)
    if (tables.includes(table)) {
      const count = partitions.get(changeTopic(table))!
      writers.set(found.oid, createTableWriter(await deps.factsOf(found, count), writing))
    } else {
      writers.set(found.oid, null)
      if (!before || before.name !== found.name) observer.notFollowed(table)
    }
  }

  function isInLog({ topic, key, partition, headers }: NewRecord): boolean {
    const at = { topic, partition: partition ?? partitionOf(key!, partitions.get(topic)!) }
    const { lsn, n } = parsePosition(headers?.[CHANGE_POSITION])!
    return isBehind(tails.get(partitionKey(at))?.last ?? null, lsn, n)
  }

  function add(records: readonly NewRecord[]): void {
    const { lsn, committedUs } = begun()
    const fresh = lsn > logHasTo ? records : records.filter((record) => !isInLog(record))
    skipped += records.length - fresh.length
    appender.add(fresh, committedUs / 1_000)
  }

  return {
    get isInTransaction() {
      return transaction !== null
    },
    async read(message, lsn) {
      switch (message.kind) {
        case 'begin':
          transaction = message
          index = 0
          return
        case 'commit':
          lastCommitLsn = begun().lsn
          transaction = null
          appender.reached(message.endLsn)
          if (skipped > 0) observer.skipped(skipped)
          skipped = 0
          return
        case 'relation':
          return relation(message.relation)
        case 'truncate':
          for (const oid of message.oids) add(writers.get(oid)?.truncate(origin(lsn)) ?? [])
          index++
          return
        case 'insert':
        case 'update':
        case 'delete':
          add(writers.get(message.oid)?.change(message, origin(lsn)) ?? [])
          // Counted also where it is no table of ours: positions do not depend on the settings.
          index++
          return
        case 'other':
          return
      }
    },
  }
}

function differences(before: Relation, after: Relation): string[] {
  const [was, is] = [before, after].map(({ columns }) => new Map(columns.map((column) => [column.name, column])))
  return [
    ...(before.name === after.name && before.schema === after.schema ? [] : [`it was ${before.schema}.${before.name}`]),
    ...[...is!.keys()].filter((name) => !was!.has(name)).map((name) => `column ${name} is new`),
    ...[...was!.keys()].filter((name) => !is!.has(name)).map((name) => `column ${name} is gone`),
    ...[...is!.values()]
      .filter(({ name, type, modifier }) => {
        const old = was!.get(name)
        return old && (old.type !== type || old.modifier !== modifier)
      })
      .map(({ name }) => `column ${name} has another type`),
  ]
}
