/**
 * Membership in a consumer group, between kafkajs' consumer and the subscription: what is done before this member joins, what it claims, and when it joins anew.
 *
 * kafkajs has no callback that is awaited before partitions go to others. But it hands its cluster to the assigner, and asks that for the group's coordinator
 * before every join: here it gets one whose requests pass through us. Invariants: no join is sent while the subscription still drains; a member that was
 * thrown out claims nothing; an offset that retention has removed is never replaced by another in silence.
 */
import type { Assigner, Cluster, PartitionAssigner } from 'kafkajs'
import type { TopicPartition } from '../event-log.ts'
import { assign, decodeMember, encodeAssignment, encodeMember, type Partitions, PROTOCOL } from './assign.ts'
import { KafkaJSNonRetriableError, KafkaJSProtocolError } from './client.ts'
import { isRefusal } from './cluster.ts'
import { leaveBatchesWhole } from './fetch.ts'

export interface MembershipDeps {
  group: string
  topics: readonly string[]
  /** What this member holds now. */
  holds(): Partitions
  /** Resolves when the change of partitions under way is done with. */
  settled(): Promise<void>
  /** The group went on without this member: all it holds may be with others. */
  thrownOut(): Promise<void>
  /** Whether to answer the group's heartbeats: not after the handler has been stuck for too long. */
  alive(): boolean
  /** False while this member is to go on. At the end it resolves when everything is drained: nobody may join before, and we never again. */
  ended(): Promise<boolean>
  /** Between two attempts to find the coordinator. */
  pause(): Promise<void>
  /** kafkajs would begin again at another offset. */
  outOfRange(at: TopicPartition): Promise<Error>
}

export interface Membership {
  readonly assigner: PartitionAssigner
  /** Joins anew at the next heartbeat: what was handed back can then go to others. */
  rejoin(): void
  commit(at: TopicPartition, nextOffset: number): Promise<void>
}

interface JoinRequest {
  memberId: string
  groupProtocols: { name: string; metadata: Buffer }[]
}

interface CommitRequest {
  topics: { topic: string; partitions: { partition: number; offset: string | number }[] }[]
}

/** What kafkajs' consumer group asks of its coordinator, and the broker that answers. */
interface Coordinator {
  joinGroup(request: JoinRequest): Promise<{ generationId: number; memberId: string }>
  heartbeat(request: object): Promise<unknown>
  leaveGroup(request: { groupId: string; memberId: string }): Promise<unknown>
  offsetCommit(request: CommitRequest): Promise<unknown>
}

export function createMembership(deps: MembershipDeps): Membership {
  let cluster: Cluster | undefined
  let findCoordinator: Cluster['findGroupCoordinator'] | undefined
  let coordinator: Coordinator | undefined
  let joined: { generationId: number; memberId: string } | null = null
  let rejoinWanted = false

  const protocols = () => [
    {
      name: PROTOCOL,
      metadata: encodeMember(deps.topics, { holds: deps.holds(), generation: joined?.generationId ?? -1 }),
    },
  ]

  /** The broker with three of its methods seen by us first; all others are its own. */
  function watched(broker: Coordinator): Coordinator {
    return Object.assign(Object.create(broker) as Coordinator, {
      async joinGroup(request: JoinRequest) {
        await deps.settled()
        if (await deps.ended()) throw new KafkaJSNonRetriableError('the subscription stops')
        // Without a member id it is a stranger to the group, whatever it was before.
        if (request.memberId === '' && joined) {
          joined = null
          await deps.thrownOut()
        }
        rejoinWanted = false
        const answer = await broker.joinGroup({ ...request, groupProtocols: protocols() })
        if (await deps.ended()) {
          // Too late: nobody would read what it is given.
          await broker.leaveGroup({ groupId: deps.group, memberId: answer.memberId }).catch(() => {})
          throw new KafkaJSNonRetriableError('the subscription stops')
        }
        joined = { generationId: answer.generationId, memberId: answer.memberId }
        return answer
      },
      async heartbeat(request: object) {
        if (rejoinWanted) throw rebalancing()
        if (deps.alive()) await broker.heartbeat(request)
      },
      async offsetCommit(request: CommitRequest) {
        for (const { topic, partitions } of request.topics) {
          // -1 and -2 stand for the end and the beginning: kafkajs' answer to an offset that is no longer there.
          const lost = partitions.find(({ offset }) => Number(offset) < 0)
          if (lost) throw new KafkaJSNonRetriableError(await deps.outOfRange({ topic, partition: lost.partition }))
        }
        return broker.offsetCommit(request)
      },
    })
  }

  /** A coordinator that restarts, moves or still loads its groups is waited for: the membership outlasts it. */
  async function found(asked: { groupId: string }): ReturnType<Cluster['findGroupCoordinator']> {
    for (;;) {
      try {
        return await findCoordinator!(asked)
      } catch (error) {
        if (isRefusal(error) || (await deps.ended())) throw error
        await deps.pause()
      }
    }
  }

  const assigner: PartitionAssigner = ({ cluster: given }) => {
    cluster = given
    findCoordinator = given.findGroupCoordinator.bind(given)
    given.findGroupCoordinator = async (asked) => {
      // The type names only the public methods of a broker; see Coordinator for those that are used.
      coordinator = watched((await found(asked)) as unknown as Coordinator)
      return coordinator as unknown as Awaited<ReturnType<Cluster['findGroupCoordinator']>>
    }
    keepNodes(given)
    leaveBatchesWhole(given)
    const dealing: Assigner = {
      name: PROTOCOL,
      version: 1,
      protocol: () => protocols()[0]!,
      async assign({ members, topics }) {
        const counts = new Map(topics.map((topic) => [topic, given.findTopicPartitionMetadata(topic).length]))
        const dealt = assign(members.map(decodeMember), counts)
        return [...dealt].map(([memberId, partitions]) => ({
          memberId,
          memberAssignment: encodeAssignment(partitions),
        }))
      },
    }
    return dealing
  }

  return {
    assigner,
    rejoin() {
      rejoinWanted = true
    },
    async commit({ topic, partition }, nextOffset) {
      if (!joined || !coordinator || !cluster)
        throw new Error(`${deps.group} has not been joined: nothing can be committed.`)
      const request = {
        groupId: deps.group,
        memberId: joined.memberId,
        groupGenerationId: joined.generationId,
        topics: [{ topic, partitions: [{ partition, offset: String(nextOffset) }] }],
      }
      await coordinator.offsetCommit(request)
    },
  }
}

/** As a coordinator says it; kafkajs then joins again. */
function rebalancing(): Error {
  const told = { name: 'KafkaJSProtocolError', type: 'REBALANCE_IN_PROGRESS', code: 27, retriable: false }
  return new KafkaJSProtocolError(Object.assign(new Error('Partitions were handed back'), told))
}

/**
 * A broker that closes its connection is forgotten by kafkajs, and a consumer that knows no broker begins anew as a stranger to its group, which
 * then waits for the old member's session to end. So the last brokers known are tried until there are others.
 */
function keepNodes(cluster: Cluster): void {
  const original = cluster.getNodeIds.bind(cluster)
  let last: ReturnType<Cluster['getNodeIds']> = []
  cluster.getNodeIds = () => {
    const now = original()
    if (now.length > 0) last = now
    return last
  }
}
