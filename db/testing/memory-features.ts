/** The feature store in plain memory, for the simulation: the port's semantics, deterministic, and it can be emptied like a Redis that lost its data. */
import type { FeaturePart, FeatureWrite } from '../../streams/contract/features.ts'
import type { FeatureStore, StoredFeatures } from '../features/feature-store.ts'

export interface MemoryFeatures extends FeatureStore {
  /** Forgets everything, the generation too. */
  flushAll(): void
  /** Everything stored, by user id ascending: for comparing two runs. */
  snapshot(): [userId: string, features: StoredFeatures][]
}

/** Where the value is null, only the position is kept, against lower ones. */
type Stored = Omit<FeatureWrite, 'userId' | 'part'>

export function createMemoryFeatures(): MemoryFeatures {
  const users = new Map<string, Map<FeaturePart, Stored>>()
  let generation: string | null = null
  // A copy each way, as a real store would give: nobody changes what is stored by changing what they hold.
  const featuresOf = (parts: ReadonlyMap<FeaturePart, Stored>): StoredFeatures =>
    structuredClone(
      Object.fromEntries([...parts].filter(isKnown).sort(([a], [b]) => (a < b ? -1 : 1))),
    ) as StoredFeatures
  return {
    async read(userId) {
      const parts = users.get(userId)
      return parts && [...parts].some(isKnown) ? featuresOf(parts) : null
    },
    async write(writes) {
      for (const { userId, part, partition, position, value } of writes) {
        const parts = users.get(userId) ?? new Map<FeaturePart, Stored>()
        users.set(userId, parts)
        const before = parts.get(part)
        if (!before || before.position < position) parts.set(part, structuredClone({ value, partition, position }))
      }
    },
    generation: async () => generation,
    async setGeneration(next) {
      generation = next
    },
    async close() {},
    flushAll() {
      users.clear()
      generation = null
    },
    snapshot: () =>
      [...users]
        .filter(([, parts]) => [...parts].some(isKnown))
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([userId, parts]) => [userId, featuresOf(parts)]),
  }
}

const isKnown = ([, { value }]: readonly [FeaturePart, Stored]): boolean => value !== null
