/** What the API must answer after the NYC TLC file was replayed with its own times, computed from the file alone. */
import { at, csvRows, HOUR_MS, hundredths, largestStepBack, MINUTE_MS, startOf, unique, utc } from './csv.ts'

export interface NaiveWindow {
  trips: number
  fareMinor: number
  durationS: number
  distanceM: number
}

export interface NaiveTrips {
  rows: number
  duplicates: number[]
  refused: Map<number, string>
  trips: number
  regions: number
  /** US cents. */
  fareMinor: number
  durationS: number
  distanceM: number
  /** By region and start of the window, for each window length. */
  windows: Record<'1m' | '5m' | '1h', Map<string, NaiveWindow>>
  largestStepBackMs: number
}

const LENGTHS = { '1m': MINUTE_MS, '5m': 5 * MINUTE_MS, '1h': HOUR_MS } as const
/** A mile is 1,609.344 m: exactly 1,609,344 thousandths; miles come in hundredths. */
const metresOf = (miles: string): number => Math.round((hundredths(miles) * 1_609_344) / 100_000)

export function naiveTlc(path: string): NaiveTrips {
  const all = csvRows(path)
  const refused = new Map<number, string>()
  const valid = all.filter((row) => {
    if (hundredths(row.get('fare_amount')) < 0) refused.set(row.line, 'voided trip')
    else if (utc(row.get('dropoff_datetime')) < utc(row.get('pickup_datetime')))
      refused.set(row.line, 'negative duration')
    return !refused.has(row.line)
  })
  const { rows, duplicates } = unique(valid)
  const none = (): NaiveWindow => ({ trips: 0, fareMinor: 0, durationS: 0, distanceM: 0 })
  const total = none()
  const windows = {
    '1m': new Map<string, NaiveWindow>(),
    '5m': new Map<string, NaiveWindow>(),
    '1h': new Map<string, NaiveWindow>(),
  }
  for (const row of rows) {
    const time = utc(row.get('pickup_datetime'))
    const targets = [total]
    for (const length of ['1m', '5m', '1h'] as const) {
      targets.push(at(windows[length], `${row.get('pickup_location_id')} ${startOf(time, LENGTHS[length])}`, none))
    }
    for (const target of targets) {
      target.trips++
      target.fareMinor += hundredths(row.get('fare_amount'))
      target.durationS += (utc(row.get('dropoff_datetime')) - time) / 1000
      target.distanceM += metresOf(row.get('trip_distance'))
    }
  }
  return {
    rows: all.length,
    duplicates,
    refused,
    regions: new Set(rows.map((row) => row.get('pickup_location_id'))).size,
    ...total,
    windows,
    largestStepBackMs: largestStepBack(all.map((row) => utc(row.get('pickup_datetime')))),
  }
}
