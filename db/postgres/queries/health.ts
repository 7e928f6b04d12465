/** How far the streams are: per task for people who look after them, per topic for the `meta` of every answer. */
import type { Sql } from '../connect.ts'

export interface Pipeline {
  topic: string
  partition: number
  epoch: number
  owner: string
  next_offset: number
  end_offset: number
  /** Records not yet processed, as last seen. */
  lag: number
  /** Epoch ms; null while no event was seen. */
  watermark: number | null
  events: number
  late: number
  duplicates: number
  dead_letters: number
  /** False while it catches up. */
  live: boolean
  /** When it last told of itself, epoch ms. */
  updated_at: number
}

export async function pipelines(sql: Sql): Promise<Pipeline[]> {
  const rows = await sql<(Pipeline & { watermark: number })[]>`
    SELECT topic, partition, epoch, owner, next_offset, end_offset, greatest(end_offset - next_offset, 0) AS lag, watermark, events, late,
      duplicates, dead_letters, live, updated_at
    FROM tasks ORDER BY topic, partition`
  return rows.map((row) => ({ ...row, watermark: finite(row.watermark) }))
}

export interface Freshness {
  topic: string
  /** Results before this time are final, epoch ms; null while some partition has seen no event. */
  watermark_min: number | null
  /** The watermark of the partition that is furthest; null while none has seen an event. */
  watermark_max: number | null
  lag: number
  /** The last sign of life of the task that has been silent longest, epoch ms. */
  updated_at: number
}

export async function freshness(sql: Sql): Promise<Freshness[]> {
  const rows = await sql<
    { topic: string; watermark_min: number; watermark_max: number; lag: number; updated_at: number }[]
  >`
    SELECT topic, min(watermark) AS watermark_min, max(watermark) AS watermark_max,
      sum(greatest(end_offset - next_offset, 0))::bigint AS lag, min(updated_at) AS updated_at
    FROM tasks GROUP BY topic ORDER BY topic`
  return rows.map((row) => ({
    ...row,
    watermark_min: finite(row.watermark_min),
    watermark_max: finite(row.watermark_max),
  }))
}

const finite = (ms: number): number | null => (Number.isFinite(ms) ? ms : null)
