/**
 * Files become rows of the lake, as activities: an import is claimed, then goes on stretch by stretch. Each stretch is one commit and begins where the lake says, so any of them may be repeated.
 */
import { ApplicationFailure } from '@temporalio/common'
import type { ImportState } from '../../db/postgres/batch-schema.ts'
import { claimImport, findImport, type ImportRecord, updateImport } from '../../db/postgres/imports.ts'
import { RAW_TABLES } from '../../streams/contract/lake-tables.ts'
import { type Mapping, parseMapping } from '../../streams/sources/mappings/mapping.ts'
import { PRESETS } from '../../streams/sources/mappings/presets.ts'
import { type FileFormat, formatOf } from '../../streams/sources/read-rows.ts'
import { openImportFile, sha256Of } from '../imports/import-file.ts'
import { IMPORT_LIMITS, type ImportJob, importMark, importRows, type Limits } from '../imports/import-rows.ts'
import type { Mark } from '../imports/mark.ts'
import { BAD_INPUT } from '../policy.ts'
import type { ActivityDeps } from './deps.ts'
import { withHeartbeat } from './heartbeat.ts'

export interface ImportRequest {
  /** Below the import folder, or a key of the object store that begins with `imports/`. */
  file: string
  /** A preset's name, or what a mapping file says. */
  mapping: string | Record<string, unknown>
  /** What its dead letters call it; default: the file. */
  name?: string | undefined
  again: boolean
  workflowId: string
  /** The first of the runs that continue each other. */
  runId: string
}

export interface ImportStatus {
  id: number
  table: string
  /** Of the file. */
  bytes: number
  bytesTotal: number
  rows: { read: number; imported: number; rejected: number; withoutConsent?: number }
  done: boolean
}

/** Work that a run does for an import that it has claimed. */
export interface ImportClaim {
  id: number
  runId: string
}

export type ImportActivities = ReturnType<typeof importActivities>

export const importActivities = (deps: ActivityDeps, limits: Limits = IMPORT_LIMITS) => {
  const { lake, clock, database, objects, settings } = deps
  const places = { folder: settings.importDir, objects }

  const statusOf = ({ id, table_name, bytes }: ImportRecord, mark: Mark): ImportStatus => ({
    id,
    table: table_name,
    bytes: mark.byte,
    bytesTotal: bytes,
    rows: {
      read: mark.next,
      imported: mark.imported,
      rejected: mark.rejected,
      ...(mark.withoutConsent && { withoutConsent: mark.withoutConsent }),
    },
    done: mark.done,
  })

  /** @throws when another run has claimed it meanwhile */
  async function claimed({ id, runId }: ImportClaim): Promise<ImportRecord> {
    const found = await findImport(database.sql, id)
    if (found?.run_id === runId) return found
    throw ApplicationFailure.nonRetryable(
      `Import ${id} was taken over by the workflow ${found?.workflow_id ?? 'of another database'}, which goes on where this one stopped.`,
      'TakenOver',
    )
  }

  return {
    /** Reads the file once, to know it again: content that was imported before is refused, an import that was broken off is gone on with. */
    claimImport: (request: ImportRequest): Promise<ImportStatus> =>
      withHeartbeat(clock, async (signal, report) => {
        const mapping = mappingOf(request.mapping)
        formatFor(mapping, request.file)
        const file = await openImportFile(places, request.file)
        const state = await file.state()
        const onBytes = (bytes: number): void => report({ reading: request.file, bytes, of: state.bytes })
        const claim = await claimImport(
          database.sql,
          {
            name: request.name ?? request.file,
            file: request.file,
            sha256: await sha256Of(file, state, { signal, onBytes }),
            bytes: state.bytes,
            modified_at: state.modifiedMs,
            mapping: request.mapping,
            mapping_identity: mapping.identity,
            currency: settings.currency,
            table_name: RAW_TABLES[mapping.topic].name,
            workflow_id: request.workflowId,
            run_id: request.runId,
          },
          { again: request.again, nowMs: clock.now() },
        )
        if ('doneBefore' in claim) throw alreadyImported(request.file, claim.doneBefore)
        return statusOf(claim.import, await importMark(lake, { id: claim.import.id, mapping }))
      }),

    /** The next stretch. Of an import that is done, nothing. */
    importStretch: (claim: ImportClaim): Promise<ImportStatus> =>
      withHeartbeat(clock, async (signal, report) => {
        const record = await claimed(claim)
        const mapping = mappingOf(record.mapping)
        const job: ImportJob = {
          id: record.id,
          name: record.name,
          mapping,
          format: formatFor(mapping, record.file),
          currency: record.currency,
          createdAtMs: record.created_at,
          file: await openImportFile(places, record.file),
          state: { bytes: record.bytes, modifiedMs: record.modified_at },
        }
        const writer = { memoryMb: settings.memoryMb, threads: settings.threads, parent: settings.temporaryDir }
        const mark = await importRows({ lake, clock, writer, limits, signal, onProgress: report }, job)
        const status = statusOf(record, mark)
        await updateImport(
          database.sql,
          claim,
          { state: mark.done ? 'done' : 'running', rows: status.rows },
          clock.now(),
        )
        return status
      }),

    /** How far it has come, for the record, when it ends before its file does. */
    endImport: (ended: ImportClaim & { state: ImportState; message: string }): Promise<ImportStatus | null> =>
      withHeartbeat(clock, async () => {
        const record = await findImport(database.sql, ended.id)
        if (record?.run_id !== ended.runId) return null
        const status = statusOf(record, await importMark(lake, { id: record.id, mapping: mappingOf(record.mapping) }))
        const state = status.done ? 'done' : ended.state
        await updateImport(database.sql, ended, { state, rows: status.rows, message: ended.message }, clock.now())
        return status
      }),
  }
}

function mappingOf(given: string | Record<string, unknown>): Mapping {
  const preset = typeof given === 'string' && Object.hasOwn(PRESETS, given) ? PRESETS[given] : undefined
  if (preset) return preset
  if (typeof given === 'string')
    throw ApplicationFailure.nonRetryable(
      `"${given}" is no mapping: give one of ${Object.keys(PRESETS).join(', ')}, or what a mapping file says as an object: {"topic": "orders", "columns": {…}}.`,
      BAD_INPUT,
    )
  try {
    return parseMapping(given, 'The mapping')
  } catch (error) {
    throw ApplicationFailure.nonRetryable((error as Error).message, BAD_INPUT)
  }
}

function formatFor(mapping: Mapping, file: string): FileFormat {
  const format = mapping.format ?? formatOf(file)
  if (format) return format
  throw ApplicationFailure.nonRetryable(
    `The name of "${file}" doesn't say whether it is CSV, JSON or NDJSON. Name it so (.csv, .json, .ndjson), or say it in the mapping: "format": "csv". Packed files are to be unpacked first.`,
    BAD_INPUT,
  )
}

const alreadyImported = (file: string, done: ImportRecord): ApplicationFailure =>
  ApplicationFailure.nonRetryable(
    `"${file}" has been imported before: the same content with the same mapping was import ${done.id} ("${done.name}", ${done.rows_imported} rows into ${done.table_name}, ${new Date(done.finished_at ?? done.updated_at).toISOString()}). Nothing was imported now. To import it once more, say so: "again": true.`,
    'AlreadyImported',
  )
