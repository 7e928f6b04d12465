/**
 * Files that are imported into the lake: which import a file's content belongs to. How far it has come is what the lake says; the counts here are for people.
 * Invariant: of one content under one mapping at most one import is unfinished, and one run works on it: the one that claimed it last.
 */
import type { ImportState } from './batch-schema.ts'
import type { Sql } from './connect.ts'

export interface ImportRecord {
  id: number
  name: string
  file: string
  sha256: string
  bytes: number
  modified_at: number
  mapping: string | Record<string, unknown>
  mapping_identity: string
  currency: string
  table_name: string
  state: ImportState
  rows_read: number
  rows_imported: number
  rows_rejected: number
  message: string | null
  workflow_id: string
  run_id: string
  created_at: number
  updated_at: number
  finished_at: number | null
}

export type NewImport = Omit<
  ImportRecord,
  | 'id'
  | 'state'
  | 'rows_read'
  | 'rows_imported'
  | 'rows_rejected'
  | 'message'
  | 'created_at'
  | 'updated_at'
  | 'finished_at'
>

export type Claim = { import: ImportRecord; isNew: boolean } | { doneBefore: ImportRecord }

/**
 * The import that this run is to work on: its own, else the unfinished one of the same content, else a new one.
 * @param again import content anew that was imported before
 */
export function claimImport(
  sql: Sql,
  wanted: NewImport,
  { again, nowMs }: { again: boolean; nowMs: number },
): Promise<Claim> {
  const now = new Date(nowMs).toISOString()
  return sql.begin(async (tx): Promise<Claim> => {
    // Two claims of one content at once would both find nothing.
    await tx`SELECT pg_advisory_xact_lock(hashtextextended(${wanted.sha256 + wanted.mapping_identity}, 0))`
    const found = await tx<ImportRecord[]>`
      SELECT * FROM imports WHERE sha256 = ${wanted.sha256} AND mapping_identity = ${wanted.mapping_identity} ORDER BY id DESC`
    const own = found.find(({ run_id }) => run_id === wanted.run_id)
    if (own?.state === 'done') return { import: own, isNew: false }
    const open = found.find(({ state }) => state !== 'done')
    if (open) {
      const [taken] = await tx<ImportRecord[]>`
        UPDATE imports SET state = 'running', message = NULL, finished_at = NULL, updated_at = ${now}, file = ${wanted.file},
          modified_at = ${new Date(wanted.modified_at).toISOString()}, workflow_id = ${wanted.workflow_id}, run_id = ${wanted.run_id}
        WHERE id = ${open.id} RETURNING *`
      return { import: { ...taken! }, isNew: false }
    }
    const [done] = found
    if (done && !again) return { doneBefore: { ...done } }
    const [made] = await tx<ImportRecord[]>`
      INSERT INTO imports (name, file, sha256, bytes, modified_at, mapping, mapping_identity, currency, table_name, state, workflow_id, run_id, created_at, updated_at)
      VALUES (${wanted.name}, ${wanted.file}, ${wanted.sha256}, ${wanted.bytes}, ${new Date(wanted.modified_at).toISOString()},
        ${JSON.stringify(wanted.mapping)}::text::jsonb, ${wanted.mapping_identity}, ${wanted.currency}, ${wanted.table_name}, 'running',
        ${wanted.workflow_id}, ${wanted.run_id}, ${now}, ${now})
      RETURNING *`
    return { import: { ...made! }, isNew: true }
  })
}

export async function findImport(sql: Sql, id: number): Promise<ImportRecord | null> {
  const [found] = await sql<ImportRecord[]>`SELECT * FROM imports WHERE id = ${id}`
  return found ? { ...found } : null
}

export interface ImportNews {
  state: ImportState
  rows: { read: number; imported: number; rejected: number }
  message?: string
}

/** @returns false when another run has claimed the import: nothing is changed then */
export async function updateImport(
  sql: Sql,
  { id, runId }: { id: number; runId: string },
  { state, rows, message }: ImportNews,
  nowMs: number,
): Promise<boolean> {
  const now = new Date(nowMs).toISOString()
  const changed = await sql`
    UPDATE imports SET state = ${state}, rows_read = ${rows.read}, rows_imported = ${rows.imported}, rows_rejected = ${rows.rejected},
      message = ${message ?? null}, updated_at = ${now}, finished_at = ${state === 'running' ? null : now}
    WHERE id = ${id} AND run_id = ${runId}`
  return changed.count === 1
}
