/** `streamforge import FILE`: a file's rows into the lake, by the workflow `importFile`; the file is put where workers find it. */
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { basename } from 'node:path'
import { WorkflowFailedError, type WorkflowHandle } from '@temporalio/client'
import { openFolderObjects } from '../../db/objects/folder.ts'
import type { BulkObjectStore } from '../../db/objects/object-store.ts'
import { objectsSettings, openObjects } from '../../db/objects/open.ts'
import { formatOf } from '../../streams/sources/read-rows.ts'
import type { ImportInput, ImportProgress } from '../../workflows/definitions/import-file.ts'
import { workflowId } from '../../workflows/policy.ts'
import { CommandFailed, type CommandIo, defineCommand, INTERRUPTED, parseArguments, UsageError } from '../command.ts'
import { counted, humanBytes, humanCount } from '../human.ts'
import { findObjects } from '../lake.ts'
import { bar, progressPrinter } from '../progress.ts'
import { fileArgument, mappingOption, mustBeFile, PRESET_NAMES } from '../row-file.ts'
import { startedText, TEMPORAL_OPTIONS, TEMPORAL_USAGE, withTemporal } from '../temporal.ts'

export const importCommand = defineCommand({
  name: 'import',
  usage: `streamforge import FILE --mapping NAME|FILE [options]

Brings the rows of a CSV, JSON or NDJSON file of any size into the lake, with their own times and past the streams: for history. Each row once: what breaks off goes on where it was when the same
command is given again, and a file that was imported before is refused. Rows that are no events are in raw.dead_letters, with row, line and reason.
The file is copied to where workers find it: the import folder (STREAMFORGE_IMPORT_DIR, else "imports" in the data folder), or the object store where that is S3.

  --mapping NAME    which columns become which fields: a preset (${PRESET_NAMES}) or a mapping file (JSON), as for
                    "streamforge replay"
  --again           import it although the same content was imported before
  --no-wait         start it and return; else its progress is shown until it ends
${TEMPORAL_USAGE}`,
  async run(args, io) {
    const { values, positionals } = parseArguments(args, {
      ...TEMPORAL_OPTIONS,
      mapping: { type: 'string' },
      again: { type: 'boolean', default: false },
      'no-wait': { type: 'boolean', default: false },
    })
    const path = fileArgument('import', positionals, io)
    const { mapping, spec } = await mappingOption('import', values.mapping, io)
    await mustBeFile(path, positionals[0]!)
    if (!(mapping.format ?? formatOf(path)))
      throw new UsageError(
        `The name of ${positionals[0]} doesn't say whether it is CSV, JSON or NDJSON: say it in a mapping file, "format": "csv". Packed files are to be unpacked first.`,
      )
    return withTemporal(values, io, async (opened) => {
      const placed = await place(path, values, io)
      const id = workflowId('importFile', placed.name, mapping.identity)
      const input: ImportInput = { file: placed.file, mapping: spec, name: basename(path), again: values.again }
      const run = await opened.client.workflow.start('importFile', {
        taskQueue: opened.taskQueue,
        workflowId: id,
        args: [input],
        // The same import that is under way is watched.
        workflowIdConflictPolicy: 'USE_EXISTING',
      })
      if (values['no-wait']) {
        io.out(startedText('importFile', id, run.firstExecutionRunId, opened))
        return 0
      }
      const progress = await watch(run, io)
      if (progress === null) {
        io.out(
          `The import goes on without this command. ${startedText('importFile', id, run.firstExecutionRunId, opened)}`,
        )
        return INTERRUPTED
      }
      await placed.remove()
      io.out(`${conclusion(progress)}\n`)
      return 0
    })
  },
})

interface Placed {
  /** As the workflow knows it. */
  file: string
  /** By its content. */
  name: string
  /** The copy is not needed any more. */
  remove(): Promise<void>
}

/** Copies the file, whole or not at all, under a name that its content gives: what is there already needs no copy. */
async function place(path: string, options: { data?: string | undefined }, io: CommandIo): Promise<Placed> {
  const { config } = await findObjects(options, io)
  const settings = objectsSettings(config)
  const isShared = settings.kind === 's3'
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(path, { highWaterMark: 1024 * 1024 })) {
    if (io.signal.aborted) throw new CommandFailed('Stopped before anything was imported.')
    hash.update(chunk as Buffer)
  }
  const name = `${hash.digest('hex').slice(0, 16)}/${basename(path)}`
  const file = isShared ? `imports/${name}` : name
  const where = isShared ? settings.prefix : config.importDir
  try {
    const store: BulkObjectStore = isShared ? await openObjects(settings) : await openFolderObjects(config.importDir)
    const { size } = await stat(path)
    if ((await store.stat(file))?.bytes !== size) await store.putFile(file, path)
    return { file, name, remove: () => store.delete(file) }
  } catch (error) {
    throw new CommandFailed(`The file can't be copied to where workers find it (${where}): ${(error as Error).message}`)
  }
}

const ASK_EVERY_MS = 300

/** @returns what it came to; null when the user has had enough. @throws CommandFailed */
async function watch(run: WorkflowHandle, io: CommandIo): Promise<ImportProgress | null> {
  const startedMs = io.clock.now()
  const draw = progressPrinter(io)
  let ended: { result: ImportProgress } | { error: unknown } | undefined
  const ending = run.result().then(
    (result) => {
      ended = { result: result as ImportProgress }
    },
    (error) => {
      ended = { error }
    },
  )
  const stopped = new Promise<void>((resolve) => io.signal.addEventListener('abort', () => resolve(), { once: true }))
  /** Rows that an import before this one had brought. */
  let before: number | undefined
  while (!ended && !io.signal.aborted) {
    // Without a worker nobody answers for a while.
    const asked = run.query<ImportProgress>('progress').then(
      (progress) => {
        if (progress.import !== null) before ??= progress.rows_read
        draw.line(progressLine(progress, (progress.rows_read - (before ?? 0)) / (io.clock.now() - startedMs)))
      },
      () => draw.line('Waits for a worker; "streamforge status" tells whether one runs'),
    )
    await Promise.race([ending, asked, stopped])
    await Promise.race([ending, io.clock.sleep(ASK_EVERY_MS, io.signal)])
  }
  draw.end()
  if (!ended) return null
  if ('result' in ended) return ended.result
  throw new CommandFailed(whyOf(ended.error), { cause: ended.error })
}

function whyOf(error: unknown): string {
  if (!(error instanceof WorkflowFailedError)) return (error as Error).message
  const { cause } = error
  const again =
    (cause as { type?: unknown } | undefined)?.type === 'AlreadyImported' ? ' On the command line that is --again.' : ''
  return `${cause?.message ?? error.message}${again}`
}

function progressLine(progress: ImportProgress, rowsPerMs: number): string {
  const { state, bytes, bytes_total: total, rows_read: rows, rows_rejected: rejected } = progress
  if (state === 'reading') return 'Reading the file, to know it again'
  return [
    bar(total ? Math.min(1, bytes / total) : 1),
    `${humanBytes(bytes)} of ${humanBytes(total ?? bytes)}`,
    counted(rows, 'row'),
    `${humanCount(Math.round(rowsPerMs * 1000) || 0)}/s`,
    ...(rejected === 0 ? [] : [`${humanCount(rejected)} aside`]),
  ].join(' · ')
}

function conclusion({ rows_read, rows_imported, rows_rejected, table, import: id, ...rest }: ImportProgress): string {
  const { rows_without_consent: refused } = rest
  const letGo = refused ? `, ${humanCount(refused)} are without consent and were left out` : ''
  const said = `Import ${id}: of ${counted(rows_read, 'row')} ${humanCount(rows_imported)} are in ${table}${letGo}`
  return rows_rejected === 0
    ? `${said}.`
    : `${said}, ${humanCount(rows_rejected)} are no events. Which, and why: streamforge sql "SELECT source_offset, message FROM raw.dead_letters WHERE log_partition = -${id}"`
}
