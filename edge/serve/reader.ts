/** The metric reader behind a cache: what the metrics routes and the live stream ask. Pages of alerts, sessions and features are not cached. */
import type { LogEnds, MetricReader, PipelineState } from '../ports.ts'
import type { Cache } from './cache.ts'

export function cachedReader(reader: MetricReader, cache: Cache): MetricReader {
  const key = (...parts: unknown[]) => JSON.stringify(parts)
  return {
    overview: (range) => cache(key('overview', range), () => reader.overview(range)),
    eventsTimeseries: (range, bucketMs) =>
      cache(key('events', range, bucketMs), () => reader.eventsTimeseries(range, bucketMs)),
    revenueTimeseries: (range, bucketMs, filter) =>
      cache(key('revenue', range, bucketMs, filter.category, filter.currency), () =>
        reader.revenueTimeseries(range, bucketMs, filter),
      ),
    topProducts: (range, by, limit) =>
      cache(key('products', range, by, limit), () => reader.topProducts(range, by, limit)),
    region: (regionId, window, limit) =>
      cache(key('region', regionId, window, limit), () => reader.region(regionId, window, limit)),
    pipelines: () => cache('pipelines', () => reader.pipelines()),
    fraudAlerts: (filter) => reader.fraudAlerts(filter),
    fraudAlert: (alertId) => reader.fraudAlert(alertId),
    userSessions: (userId, limit) => reader.userSessions(userId, limit),
  }
}

/** Pipelines measured against the log's own ends: so a task that is dead and reports nothing still shows its lag. */
export function measuredAgainst(log: LogEnds, reader: MetricReader): MetricReader {
  const measured = async (state: PipelineState): Promise<PipelineState> => {
    try {
      const { next } = await log.bounds({ topic: state.topic, partition: state.partition })
      return { ...state, end_offset: Math.max(state.end_offset, next) }
    } catch {
      // What the task last saw is then the best there is.
      return state
    }
  }
  return { ...reader, pipelines: async () => Promise.all((await reader.pipelines()).map(measured)) }
}
