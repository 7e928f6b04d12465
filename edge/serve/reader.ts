/** The metric reader behind a cache: what the metrics routes and the live stream ask. Pages of alerts, sessions and features are not cached. */
import type { LogEnds, MetricReader, Pipeline } from '../ports.ts'
import type { Cache } from './cache.ts'

export function cachedReader(reader: MetricReader, cache: Cache): MetricReader {
  const key = (...parts: unknown[]) => JSON.stringify(parts)
  return {
    ...reader,
    overview: (range) => cache(key('overview', range.from, range.to, range.now), () => reader.overview(range)),
    eventsTimeseries: (range) =>
      cache(key('events', range.from, range.to, range.bucketMs), () => reader.eventsTimeseries(range)),
    revenueTimeseries: (range) =>
      cache(key('revenue', range.from, range.to, range.bucketMs, range.category, range.currency), () =>
        reader.revenueTimeseries(range),
      ),
    topProducts: (of) =>
      cache(key('products', of.from, of.to, of.limit, of.by, of.currency, of.cursor), () => reader.topProducts(of)),
    region: (of) =>
      cache(key('region', of.regionId, of.window, of.from, of.to, of.limit, of.cursor), () => reader.region(of)),
    topRegions: (of) => cache(key('regions', of.from, of.to, of.limit, of.cursor), () => reader.topRegions(of)),
    funnel: (range) => cache(key('funnel', range.from, range.to), () => reader.funnel(range)),
    pipelines: () => cache('pipelines', () => reader.pipelines()),
    workflows: () => cache('workflows', () => reader.workflows()),
  }
}

/** Pipelines measured against the log's own ends: so a task that is dead and reports nothing still shows its lag. */
export function measuredAgainst(log: LogEnds, reader: MetricReader): MetricReader {
  const measured = async (state: Pipeline): Promise<Pipeline> => {
    try {
      const { next } = await log.bounds({ topic: state.topic, partition: state.partition })
      const end_offset = Math.max(state.end_offset, next)
      return { ...state, end_offset, lag: Math.max(0, end_offset - state.next_offset) }
    } catch {
      // What the task last saw is then the best there is.
      return state
    }
  }
  return { ...reader, pipelines: async () => Promise.all((await reader.pipelines()).map(measured)) }
}
