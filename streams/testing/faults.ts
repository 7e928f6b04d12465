/**
 * Stores that fail on command: around every call of a runtime to the outside, a plan decides whether it fails before or after it took effect,
 * hangs for a while, or is the moment at which the process dies.
 *
 * A dead process never hears back from any call again, and none of its later calls reaches a store. Invariant: a call takes effect wholly or not at all.
 */
import type { FeatureStore } from '../../db/features/feature-store.ts'
import type { ObjectStore } from '../../db/objects/object-store.ts'
import type { EventLog } from '../log/event-log.ts'
import type { ManifestStore, ResultStore } from '../runtime/ports.ts'
import type { Clock } from '../time/clock.ts'

/** What happens to one call. `pause` holds it for some milliseconds of virtual time before it goes on: the stuff of zombies. */
export type Fault = 'none' | 'fail-before' | 'fail-after' | 'crash-before' | 'crash-after' | { pauseMs: number }

export interface Stores {
  log: EventLog
  results: ResultStore
  manifests: ManifestStore
  features: FeatureStore
  objects: ObjectStore
}

/** One process as its stores see it. */
export interface FaultyProcess {
  readonly stores: Stores
  readonly dead: boolean
  /** Calls made so far, by name: which crash points there are. */
  readonly calls: readonly string[]
  kill(): void
}

const never = (): Promise<never> => new Promise(() => {})

export function faultyProcess(real: Stores, clock: Clock, plan: (call: string, index: number) => Fault): FaultyProcess {
  let dead = false
  const calls: string[] = []

  async function through<R>(call: string, effect: () => Promise<R>): Promise<R> {
    if (dead) return never()
    const fault = plan(call, calls.length)
    calls.push(call)
    if (fault === 'crash-before') {
      dead = true
      return never()
    }
    if (fault === 'fail-before') throw new Error(`${call} failed (planned)`)
    if (typeof fault === 'object') await clock.sleep(fault.pauseMs)
    if (dead) return never()
    const result = await effect()
    if (fault === 'crash-after') dead = true
    if (dead) return never()
    if (fault === 'fail-after') throw new Error(`${call} took effect, but its answer was lost (planned)`)
    return result
  }

  const { log, results, manifests, features, objects } = real
  return {
    get dead() {
      return dead
    },
    calls,
    kill() {
      dead = true
    },
    stores: {
      log: {
        identity: () => log.identity(),
        bounds: (at) => log.bounds(at),
        partitionCount: (topic) => log.partitionCount(topic),
        committed: (group, at) => log.committed(group, at),
        read: (at, offset, max) => log.read(at, offset, max),
        close: () => log.close(),
        append: (records) => through('log.append', () => log.append(records)),
        subscribe(group, topics) {
          const inner = log.subscribe(group, topics)
          return {
            // A dead process takes no batch: it stays in the middle of what it was doing.
            run: (handler) =>
              inner.run({
                assigned: (p) => (dead ? never() : handler.assigned(p)),
                revoked: (p) => (dead ? never() : handler.revoked(p)),
                batch: (b) => (dead ? never() : handler.batch(b)),
              }),
            commit: (at, next) => through('log.commit', () => inner.commit(at, next)),
            stop: () => inner.stop(),
          }
        },
      },
      results: {
        apply: (flush) => through('results.apply', () => results.apply(flush)),
        markPublished: (ids) => through('results.markPublished', () => results.markPublished(ids)),
        unpublished: (ageMs) => through('results.unpublished', () => results.unpublished(ageMs)),
      },
      manifests: {
        beginEpoch: (at, owner) => through('manifests.beginEpoch', () => manifests.beginEpoch(at, owner)),
        manifests: (at) => through('manifests.manifests', () => manifests.manifests(at)),
        save: (at, epoch, manifest) => through('manifests.save', () => manifests.save(at, epoch, manifest)),
      },
      features: {
        read: (user) => features.read(user),
        write: (writes) => through('features.write', () => features.write(writes)),
        generation: () => through('features.generation', () => features.generation()),
        setGeneration: (g) => through('features.setGeneration', () => features.setGeneration(g)),
        close: () => features.close(),
      },
      objects: {
        put: (key, body) => through('objects.put', () => objects.put(key, body)),
        get: (key) => through('objects.get', () => objects.get(key)),
        list: (prefix) => through('objects.list', () => objects.list(prefix)),
        delete: (key) => through('objects.delete', () => objects.delete(key)),
      },
    },
  }
}
