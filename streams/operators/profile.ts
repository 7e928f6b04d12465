/**
 * Profiles: one object per key that every event updates and that never closes, published to the feature store.
 *
 * Invariant: a profile takes events up to a horizon behind the watermark; older ones are late. Only the newest state of a key goes out,
 * with the position that made it.
 */
import type { FeaturePart, FeatureParts } from '../contract/features.ts'
import type { Operator, OperatorFactory } from './operator.ts'
import { type Packable, PackedState } from './packed-state.ts'

/** What every profile has; a job's profile is a subclass with the job's fields: one flat object per key. */
export class Profile implements Packable {
  id = -1
  unpublished = false
  next: this | null = null
  key: string
  position: number
  /** Highest event time seen. */
  lastSeenMs: number

  constructor(key: string, eventTimeMs: number, offset: number) {
    this.key = key
    this.lastSeenMs = eventTimeMs
    this.position = offset
  }
}

export interface ProfileSpec<E extends { event_time: number }, P extends Profile, F extends FeaturePart> {
  name: string
  part: F
  /** How far behind the watermark an event may be and still count. */
  horizonMs: number
  /** A key that stayed away this long, in event time, begins anew. */
  forgetAfterMs: number
  key(event: E): string
  /** The job's profile, and its own fields as Avro record fields. */
  profile: new (
    key: string,
    eventTimeMs: number,
    offset: number,
  ) => P
  fields: readonly object[]
  /** `profile.lastSeenMs` is from before this event, or the event's own for the first. */
  add(profile: P, event: E): void
  toFeatures(profile: P): FeatureParts[F]
}

export function profile<E extends { event_time: number }, P extends Profile, F extends FeaturePart>(
  spec: ProfileSpec<E, P, F>,
): OperatorFactory<E> {
  return (partition, hotMax) => createProfiles(spec, partition, hotMax)
}

function createProfiles<E extends { event_time: number }, P extends Profile, F extends FeaturePart>(
  spec: ProfileSpec<E, P, F>,
  partition: number,
  hotMax: number | undefined,
): Operator<E> {
  const profiles = new PackedState<P>({
    name: spec.name,
    recordName: 'Profile',
    fields: [{ name: 'position', type: 'long' }, { name: 'lastSeenMs', type: 'long' }, ...spec.fields],
    keyOf: (p) => p.key,
    nameOf: (p) => p.key,
    revive(key, value) {
      const saved = value as P
      return Object.assign(new spec.profile(key, saved.lastSeenMs, saved.position), saved)
    },
    hotMax,
  })
  let nextSweepMs = Number.NEGATIVE_INFINITY
  let forgotten: { userId: string; position: number }[] = []
  const isForgotten = (p: P, watermarkMs: number): boolean => p.lastSeenMs + spec.forgetAfterMs <= watermarkMs

  return {
    name: spec.name,
    get nextTimerMs() {
      return nextSweepMs
    },
    process(event, at) {
      const t = event.event_time
      if (t < at.watermarkMs - spec.horizonMs) return 'late'
      const key = spec.key(event)
      let p = profiles.find(key)
      if (!p || isForgotten(p, at.watermarkMs)) {
        if (p) profiles.remove(p)
        p = new spec.profile(key, t, at.offset)
        profiles.add(p)
      }
      spec.add(p, event)
      if (t > p.lastSeenMs) p.lastSeenMs = t
      p.position = at.offset
      profiles.touch(p)
      return 'applied'
    },
    advance(at) {
      // Only frees memory: `process` treats a forgotten profile as absent whether or not it was swept, so nothing depends on when this runs.
      if (nextSweepMs !== Number.NEGATIVE_INFINITY) {
        for (const { entry, unpublished } of profiles.all()) {
          if (!unpublished && isForgotten(entry, at.watermarkMs)) profiles.remove(entry)
        }
      }
      nextSweepMs = at.watermarkMs + spec.forgetAfterMs / 4
    },
    forget(userId, at) {
      const p = profiles.find(userId)
      if (p) profiles.remove(p)
      profiles.dropRemains()
      // Also of a user who is not known here any more: the store may remember for longer.
      forgotten.push({ userId, position: at.offset })
    },
    drain(out, _mode, limit) {
      for (const { userId, position } of forgotten) {
        out.feature({ userId, part: spec.part, partition, position, value: null })
      }
      forgotten = []
      for (const p of profiles.takeUnpublished(limit)) {
        out.feature({ userId: p.key, part: spec.part, partition, position: p.position, value: spec.toFeatures(p) })
      }
      return profiles.hasUnpublished
    },
    republish() {
      // Also as unsaved, so that a crash in the middle goes on where it was: the next checkpoint says which are still to go out.
      profiles.touchAll()
    },
    state: [profiles.section],
  }
}
