/**
 * What a replay leaves on disk: how far it came, and the rows it could not use.
 *
 * The progress file is named by the file's identity and everything that decides what its rows become, so a changed file begins anew.
 * Invariant: the line it holds is one before which everything was settled; it is replaced as a whole, and gone when the replay is finished.
 */
import { mkdir, open, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { basename, join, resolve } from 'node:path'
import { z } from 'zod'
import { stableId } from '../contract/stable-id.ts'

const progress = z.object({
  file: z.string(),
  /** Everything up to here is settled. */
  line: z.number().int().min(0),
  /** When the replay first began, epoch ms: part of the ids when rebased. */
  startedAtMs: z.number().int(),
})
export type ReplayProgress = z.output<typeof progress>

export interface ProgressFile {
  /** Null when there is none, or none that can be understood. */
  load(): Promise<ReplayProgress | null>
  save(state: ReplayProgress): Promise<void>
  remove(): Promise<void>
}

/** @param what what else decides the events: mapping, options, target. @throws when the file doesn't exist */
export async function progressFile(folder: string, path: string, what: readonly string[]): Promise<ProgressFile> {
  const { size, mtimeMs } = await stat(path)
  const name = join(folder, `${stableId(resolve(path), size, mtimeMs, ...what)}.json`)
  return {
    async load() {
      try {
        return progress.parse(JSON.parse(await readFile(name, 'utf8')))
      } catch {
        return null
      }
    },
    async save(state) {
      await mkdir(folder, { recursive: true })
      await writeFile(`${name}.tmp`, JSON.stringify(state))
      await rename(`${name}.tmp`, name)
    },
    remove: () => rm(name, { force: true }),
  }
}

export interface RejectedRow {
  line: number
  reason: string
  row: unknown
}

/** `<file name>.rejected.ndjson`; made with the first row that is written to it. */
export class RejectedFile {
  readonly path: string
  #count = 0
  #buffer: string[] = []
  #chars = 0
  #writing: Promise<void> = Promise.resolve()
  readonly #folder: string
  #append: boolean

  /** @param append go on with an existing file, after an interrupt */
  constructor(folder: string, path: string, append: boolean) {
    this.#folder = folder
    this.path = join(folder, `${basename(path)}.rejected.ndjson`)
    this.#append = append
  }

  get count(): number {
    return this.#count
  }

  /** The promise, when there is one, is worth waiting for: the disk is behind. */
  add(row: RejectedRow): Promise<void> | undefined {
    this.#count++
    const text = `${JSON.stringify(row)}\n`
    this.#buffer.push(text)
    this.#chars += text.length
    return this.#chars > 64 * 1024 ? this.flush() : undefined
  }

  flush(): Promise<void> {
    const text = this.#buffer.join('')
    this.#buffer = []
    this.#chars = 0
    this.#writing = this.#writing.then(async () => {
      if (text === '' && this.#append) return
      if (text === '') return rm(this.path, { force: true })
      await mkdir(this.#folder, { recursive: true })
      const file = await open(this.path, this.#append ? 'a' : 'w')
      this.#append = true
      try {
        await file.writeFile(text)
      } finally {
        await file.close()
      }
    })
    return this.#writing
  }
}
