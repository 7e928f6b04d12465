// The load hook for Nodes that don't strip types themselves. Amaro's own hook expects a Node that already knows the format of a .ts file;
// Node 20 doesn't, so the file is read and stripped here.
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { transformSync } from 'amaro'

export async function load(url, context, nextLoad) {
  if (!url.startsWith('file:') || !new URL(url).pathname.endsWith('.ts')) return nextLoad(url, context)
  const source = await readFile(fileURLToPath(url), 'utf8')
  return { format: 'module', shortCircuit: true, source: transformSync(source, { mode: 'strip-only' }).code }
}
