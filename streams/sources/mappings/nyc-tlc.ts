/**
 * Preset `nyc-tlc`: yellow cab trips of New York's Taxi and Limousine Commission → trips.completed.
 *
 * | in the file | becomes |
 * | --- | --- |
 * | pickup_location_id | region_id; zones that the look-up lacks (264 unknown, 265 outside the city) are regions like any other |
 * | pickup_datetime | event_time. The file is in order of pickup; by completion it would be out of order by hours, and most trips late |
 * | pickup and dropoff | duration in seconds; a drop-off before the pickup is a bad row, zero seconds are not |
 * | trip_distance | km, by 1.609344 for a mile; zero stays zero |
 * | fare_amount | fare in USD; below zero the trip was voided: bad row. Zero stays zero |
 * | a pickup of 2008 among those of 2019 | a trip of 2008: its clock may be wrong, but nobody can know the right time |
 * | exact duplicate rows | duplicates: the id is made from the row's content |
 * | times | local times without an offset, taken as UTC |
 */
import { BadRow, mappingOf, timeOf } from './mapping.ts'

export const nycTlc = mappingOf(
  'nyc-tlc',
  {
    topic: 'trips',
    currency: 'USD',
    columns: {
      event_time: 'pickup_datetime',
      region_id: 'pickup_location_id',
      fare: 'fare_amount',
      // Computed below, from two columns.
      duration: { const: 0 },
      distance: { column: 'trip_distance', unit: 'mi' },
    },
    properties: ['dropoff_location_id', 'passenger_count', 'payment_type', 'total_amount'],
  },
  (event, row) => {
    const duration = (timeOf(row.dropoff_datetime, 'dropoff_datetime') - event.event_time) / 1000
    if (duration < 0) throw new BadRow('duration: the drop-off is before the pickup')
    if ((event.fare as number) < 0) throw new BadRow('fare: below zero: a voided trip')
    event.duration = duration
  },
)
