/**
 * The feature store's port: the newest features of each user, versioned by log position. LMDB when embedded, Redis in the cluster.
 *
 * It is a projection of the streams' state: a store that has lost its data says so through `generation`, and the streams write everything again.
 * Invariant: per user and part, a write with a lower position never replaces a higher one. A write without a value removes what there is, and all that stays is
 * what keeps lower positions out: a position under a hash of the user's id.
 */
import type { FeatureParts, FeatureWrite } from '../../streams/contract/features.ts'

/** What holds them, as OpenTelemetry calls it. */
export type FeaturesIn = 'redis' | 'lmdb'

/** What the store has of one user; a part is missing when nothing of that topic was seen. */
export type StoredFeatures = {
  [P in keyof FeatureParts]?: { value: FeatureParts[P]; partition: number; position: number }
}

/** The store can't be read or written now; the caller may try again. Nothing is promised of what was to be written. */
export class FeaturesUnavailable extends Error {
  override readonly name = 'FeaturesUnavailable'
}

export interface FeatureReader {
  /** @returns null when the user is unknown. @throws FeaturesUnavailable from a store that is elsewhere */
  read(userId: string): Promise<StoredFeatures | null>
}

export interface FeatureStore extends FeatureReader {
  /** Applies the writes whose position is higher than the stored one; resolves when readers see them. Order within the array does not matter. */
  write(writes: readonly FeatureWrite[]): Promise<void>
  /** The marker that `setGeneration` left; null in a new or emptied store. */
  generation(): Promise<string | null>
  setGeneration(generation: string): Promise<void>
  close(): Promise<void>
}
