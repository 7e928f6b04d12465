/** Dealing out partitions: even, sticky, never to two at once, and settled after a few rounds whatever happened. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { assign, decodeMember, encodeMember, type Member, type Partitions } from './assign.ts'

const TOPICS = new Map([
  ['a', 4],
  ['b', 4],
  ['c', 4],
])
const fresh = (id: string): Member => ({ id, holds: {}, generation: -1 })
const flat = (partitions: Partitions): string[] =>
  Object.entries(partitions).flatMap(([topic, numbers]) => numbers.map((n) => `${topic}-${n}`))
const size = (partitions: Partitions): number => flat(partitions).length

/** Rounds of a group: everybody gives back what the round took from them and joins again, until nothing moves. */
function settle(members: Member[], counts: ReadonlyMap<string, number>): { members: Member[]; rounds: number } {
  for (let generation = 1, current = members; ; generation++) {
    const dealt = assign(current, counts)
    const owners = [...dealt].flatMap(([id, partitions]) => flat(partitions).map((p) => [p, id] as const))
    expect(new Set(owners.map(([p]) => p)).size).toBe(owners.length)
    for (const member of current) {
      for (const p of flat(member.holds)) {
        const owner = owners.find(([partition]) => partition === p)?.[1]
        expect(owner === undefined || owner === member.id, `${p} is given away while ${member.id} holds it`).toBe(true)
      }
    }
    const next = current.map(({ id }) => ({ id, holds: dealt.get(id)!, generation }))
    const moved = next.some((member, i) => flat(member.holds).join() !== flat(current[i]!.holds).join())
    if (!moved) return { members: next, rounds: generation }
    expect(generation).toBeLessThan(5)
    current = next
  }
}

test('one member gets everything, two get halves, four get one partition of each topic', () => {
  const one = settle([fresh('m1')], TOPICS).members
  expect(size(one[0]!.holds)).toBe(12)
  const two = settle([...one, fresh('m2')], TOPICS).members
  expect(two.map(({ holds }) => size(holds))).toEqual([6, 6])
  const four = settle([...two, fresh('m3'), fresh('m4')], TOPICS).members
  for (const { holds } of four) expect(Object.values(holds).map((p) => p.length)).toEqual([1, 1, 1])
})

test('a member that comes gets nothing that is still held; what it is to get is let go first', () => {
  const [m1] = settle([fresh('m1')], TOPICS).members
  const round = assign([m1!, fresh('m2')], TOPICS)
  expect(size(round.get('m1')!)).toBe(6)
  expect(size(round.get('m2')!)).toBe(0)
  const second = assign([{ id: 'm1', holds: round.get('m1')!, generation: 2 }, fresh('m2')], TOPICS)
  expect(flat(second.get('m1')!)).toEqual(flat(round.get('m1')!))
  expect(size(second.get('m2')!)).toBe(6)
})

test('when a member goes, the others keep all they had', () => {
  const { members } = settle(['m1', 'm2', 'm3'].map(fresh), TOPICS)
  const [, m2, m3] = members
  const after = assign([m2!, m3!], TOPICS)
  expect(flat(after.get('m2')!)).toEqual(expect.arrayContaining(flat(m2!.holds)))
  expect(flat(after.get('m3')!)).toEqual(expect.arrayContaining(flat(m3!.holds)))
  expect(size(after.get('m2')!) + size(after.get('m3')!)).toBe(12)
})

test('of two that claim a partition, the one of the later generation has it', () => {
  const zombie: Member = { id: 'm1', holds: { a: [0, 1, 2, 3] }, generation: 3 }
  const heir: Member = { id: 'm2', holds: { a: [0, 1, 2, 3] }, generation: 4 }
  const round = assign([zombie, heir], new Map([['a', 4]]))
  expect([round.get('m1'), round.get('m2')]).toEqual([{}, { a: [0, 1] }])
})

test('however members come and go, the group settles: even to one, nothing left out, nothing twice', () => {
  const counts = fc.dictionary(fc.constantFrom('a', 'b', 'c', 'd'), fc.integer({ min: 1, max: 9 }), { minKeys: 1 })
  const changes = fc.array(fc.record({ come: fc.nat(3), go: fc.nat(3) }), { minLength: 1, maxLength: 6 })
  fc.assert(
    fc.property(counts, changes, (topics, steps) => {
      const byTopic = new Map(Object.entries(topics))
      const all = [...byTopic.values()].reduce((sum, n) => sum + n, 0)
      let members: Member[] = [fresh('m0')]
      let named = 1
      for (const { come, go } of steps) {
        members = members.slice(Math.min(go, members.length - 1))
        for (let i = 0; i < come; i++) members.push(fresh(`m${named++}`))
        members = settle(members, byTopic).members
        const sizes = members.map(({ holds }) => size(holds))
        expect(sizes.reduce((sum, n) => sum + n, 0)).toBe(all)
        expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1)
      }
    }),
  )
})

test('what a member tells the leader survives the wire', () => {
  const metadata = encodeMember(['a', 'b'], { holds: { a: [0, 2] }, generation: 7 })
  expect(decodeMember({ memberId: 'm1', memberMetadata: metadata })).toEqual({
    id: 'm1',
    holds: { a: [0, 2] },
    generation: 7,
  })
})
