// The hooks for Nodes that don't strip types themselves. Amaro's own expects a Node that already knows the format of a .ts file;
// Node 20 doesn't, so the file is read and stripped here. What was stripped once is kept by content, so that a start costs no stripping.
// A start asks some thousand times, one question after the other, in a thread that does nothing else: so files are read without
// leaving it, and what is plainly a file of ours is not looked for.
import { createHash, randomUUID } from 'node:crypto'
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const cache = join(
  dirname(dirname(fileURLToPath(import.meta.url))),
  'node_modules',
  '.cache',
  'streamforge',
  'stripped',
)

export function resolve(specifier, context, nextResolve) {
  if (!/^\.\.?\/.*\.ts$/.test(specifier) || !context.parentURL?.startsWith('file:'))
    return nextResolve(specifier, context)
  return { url: new URL(specifier, context.parentURL).href, format: 'module', shortCircuit: true }
}

export async function load(url, context, nextLoad) {
  const isFile = url.startsWith('file:')
  const isTypeScript = isFile && new URL(url).pathname.endsWith('.ts')
  // Packages' modules as well: Node would hand each file to its pool of threads, which costs more than reading it.
  if (!isTypeScript && !(isFile && context.format === 'module')) return nextLoad(url, context)
  const text = readFileSync(fileURLToPath(url), 'utf8')
  return { format: 'module', shortCircuit: true, source: isTypeScript ? await stripped(text) : text }
}

async function stripped(text) {
  const path = join(cache, `${createHash('sha256').update(text).digest('hex').slice(0, 40)}.js`)
  try {
    return readFileSync(path, 'utf8')
  } catch {
    // Not there yet, or not readable: either way it is made.
  }
  const { transformSync } = await import('amaro')
  const { code } = transformSync(text, { mode: 'strip-only' })
  keep(path, code)
  return code
}

/** A read-only or full disk only costs time. */
function keep(path, code) {
  try {
    mkdirSync(cache, { recursive: true })
    // Threads and processes may make the same file at once: each writes one of its own and puts it in place whole.
    const aside = `${path}.${randomUUID()}`
    writeFileSync(aside, code)
    renameSync(aside, path)
  } catch {}
}
