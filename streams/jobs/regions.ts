/** Regions: trips, fares, durations and distances per region over 1 minute, 5 minutes and 1 hour, into `trips_by_region`. */
import type { Trip } from '../contract/events.ts'
import type { RegionWindow } from '../contract/results.ts'
import { TRIPS } from '../contract/topics.ts'
import { groupKey, ungroup } from '../operators/group-key.ts'
import { plus } from '../operators/sum.ts'
import { tumblingWindow } from '../operators/tumbling-window.ts'
import { hours, type Job, minutes } from './job.ts'

const SIZES: Readonly<Record<RegionWindow, number>> = { '1m': minutes(1), '5m': minutes(5), '1h': hours(1) }

const regionWindow = (window: RegionWindow) =>
  tumblingWindow({
    name: `regions/${window}`,
    sizeMs: SIZES[window],
    group: (t: Trip) => groupKey(t.currency, t.region_id),
    accumulator: {
      schema: {
        type: 'record',
        name: 'Trips',
        fields: ['trips', 'fareMinor', 'durationS', 'distanceM'].map((name) => ({ name, type: 'long' })),
      },
      create: () => ({ trips: 0, fareMinor: 0, durationS: 0, distanceM: 0 }),
      add(acc, t) {
        acc.trips++
        acc.fareMinor = plus(acc.fareMinor, t.fare_minor)
        acc.durationS = plus(acc.durationS, t.duration_s)
        acc.distanceM = plus(acc.distanceM, t.distance_m)
      },
    },
    table: 'trips_by_region',
    row({ startMs, group, acc, final, partition, position }) {
      const [currency, regionId] = ungroup(group)
      return {
        region_id: regionId,
        window,
        window_start: startMs,
        currency,
        trips: acc.trips,
        fare_minor: acc.fareMinor,
        duration_s: acc.durationS,
        distance_m: acc.distanceM,
        final,
        partition,
        position,
      }
    },
  })

export const regions: Job = {
  name: 'regions',
  about: 'Trips, fares, durations and distances per region over 1 minute, 5 minutes and 1 hour.',
  on: { [TRIPS]: [regionWindow('1m'), regionWindow('5m'), regionWindow('1h')] },
}
