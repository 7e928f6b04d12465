/** Builds `/sf.js` into memory when the edge starts, for the browsers of the last years (ES2020). */
import { join } from 'node:path'
import { build } from 'esbuild'
import type { Asset } from '../ports.ts'

/** @throws Error when the tracker's sources don't build */
export async function buildTracker(): Promise<Asset> {
  const { outputFiles } = await build({
    entryPoints: [join(import.meta.dirname, 'script.ts')],
    bundle: true,
    minify: true,
    write: false,
    format: 'iife',
    target: 'es2020',
    legalComments: 'none',
    logLevel: 'silent',
  })
  return {
    body: Uint8Array.from(outputFiles[0]!.contents),
    contentType: 'text/javascript; charset=utf-8',
    immutable: false,
  }
}
