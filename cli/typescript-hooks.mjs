// The load hook for Nodes that don't strip types themselves. Amaro's own hook expects a Node that already knows the format of a .ts file;
// Node 20 doesn't, so the file is read and stripped here. What was stripped once is kept by content, so that a start costs no stripping.
import { createHash, randomUUID } from 'node:crypto'
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const cache = join(
  dirname(dirname(fileURLToPath(import.meta.url))),
  'node_modules',
  '.cache',
  'streamforge',
  'stripped',
)
let made

export async function load(url, context, nextLoad) {
  if (!url.startsWith('file:') || !new URL(url).pathname.endsWith('.ts')) return nextLoad(url, context)
  const text = await readFile(fileURLToPath(url), 'utf8')
  return { format: 'module', shortCircuit: true, source: await stripped(text) }
}

async function stripped(text) {
  const path = join(cache, `${createHash('sha256').update(text).digest('hex').slice(0, 40)}.js`)
  try {
    return await readFile(path, 'utf8')
  } catch {
    // Not there yet, or not readable: either way it is made.
  }
  const { transformSync } = await import('amaro')
  const { code } = transformSync(text, { mode: 'strip-only' })
  await keep(path, code)
  return code
}

/** A read-only or full disk only costs time. */
async function keep(path, code) {
  try {
    made ??= mkdir(cache, { recursive: true })
    await made
    // Threads and processes may make the same file at once: each writes one of its own and puts it in place whole.
    const aside = `${path}.${randomUUID()}`
    await writeFile(aside, code)
    await rename(aside, path)
  } catch {}
}
