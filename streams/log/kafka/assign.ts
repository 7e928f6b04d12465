/**
 * Who reads which partition: the leader of the group deals them out so that everybody keeps what can be kept, and a partition that moves is given to its new
 * reader only when the old one has let go of it (Kafka's incremental cooperative rebalancing, KIP-429, on kafkajs' assigner interface).
 *
 * Pure functions. Invariants: nobody is given what another member still holds; each topic is spread evenly, and the odd ones as well; dealing again
 * without a change gives the same.
 */
import { AssignerProtocol, type GroupMember } from 'kafkajs'

/** Partition numbers by topic. */
export type Partitions = Readonly<Record<string, readonly number[]>>

export interface Member {
  readonly id: string
  /** What it holds and has not handed back. */
  readonly holds: Partitions
  /** Of the group, in which it got that: of two that claim the same, the later one is right. */
  readonly generation: number
}

export const PROTOCOL = 'streamforge-cooperative'
const VERSION = 1

/** @param counts number of partitions by topic */
export function assign(members: readonly Member[], counts: ReadonlyMap<string, number>): Map<string, Partitions> {
  const result = new Map(members.map(({ id }) => [id, {} as Record<string, number[]>]))
  const totals = new Map(members.map(({ id }) => [id, 0]))
  for (const [topic, count] of counts) {
    const holders = holdersOf(topic, count, members)
    const target = targets(members, holders, count, totals)
    for (const { id } of members) totals.set(id, totals.get(id)! + target.get(id)!.size)
    for (const [id, partitions] of target) {
      // What somebody else still holds comes in the next round, when that one has handed it back.
      const free = [...partitions].filter((p) => (holders.get(p) ?? id) === id).sort((a, b) => a - b)
      if (free.length > 0) result.get(id)![topic] = free
    }
  }
  return result
}

function holdersOf(topic: string, count: number, members: readonly Member[]): Map<number, string> {
  const holders = new Map<number, Member>()
  for (const member of members) {
    for (const partition of member.holds[topic] ?? []) {
      if (partition >= count) continue
      const other = holders.get(partition)
      if (!other || other.generation < member.generation) holders.set(partition, member)
    }
  }
  return new Map([...holders].map(([partition, { id }]) => [partition, id]))
}

/** Where each partition of a topic is to be in the end. */
function targets(
  members: readonly Member[],
  holders: ReadonlyMap<number, string>,
  count: number,
  totals: ReadonlyMap<string, number>,
): Map<string, Set<number>> {
  const held = new Map(members.map(({ id }) => [id, [] as number[]]))
  for (const [partition, id] of holders) held.get(id)!.push(partition)
  // Those who have least so far get the odd ones; among equals those who hold more keep them.
  const order = members
    .map(({ id }) => id)
    .sort((a, b) => totals.get(a)! - totals.get(b)! || held.get(b)!.length - held.get(a)!.length || (a < b ? -1 : 1))
  const share = Math.floor(count / members.length)
  const odd = count % members.length
  const target = new Map(members.map(({ id }) => [id, new Set<number>()]))
  const quota = new Map(order.map((id, i) => [id, share + (i < odd ? 1 : 0)]))
  const pool: number[] = []
  for (let partition = 0; partition < count; partition++) {
    const holder = holders.get(partition)
    if (holder !== undefined && target.get(holder)!.size < quota.get(holder)!) target.get(holder)!.add(partition)
    else pool.push(partition)
  }
  for (const id of order) {
    const mine = target.get(id)!
    while (mine.size < quota.get(id)!) mine.add(pool.shift()!)
  }
  return target
}

/** What a member tells the leader. */
export function encodeMember(topics: readonly string[], member: Omit<Member, 'id'>): Buffer {
  const userData = Buffer.from(JSON.stringify({ generation: member.generation, holds: member.holds }))
  return AssignerProtocol.MemberMetadata.encode({ version: VERSION, topics: [...topics], userData })
}

export function decodeMember({ memberId, memberMetadata }: GroupMember): Member {
  const userData = AssignerProtocol.MemberMetadata.decode(memberMetadata)?.userData.toString() ?? ''
  if (userData === '') return { id: memberId, holds: {}, generation: -1 }
  const { generation, holds } = JSON.parse(userData) as Omit<Member, 'id'>
  return { id: memberId, holds, generation }
}

export function encodeAssignment(partitions: Partitions): Buffer {
  const assignment = Object.fromEntries(Object.entries(partitions).map(([topic, numbers]) => [topic, [...numbers]]))
  return AssignerProtocol.MemberAssignment.encode({ version: VERSION, assignment, userData: Buffer.alloc(0) })
}
