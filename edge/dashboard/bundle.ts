/**
 * Builds the files that browsers get, into memory, when the edge starts: the dashboard and the tracker by esbuild, the documentation page from swagger-ui-dist.
 * Invariant: a file whose content can change has the content's hash in its name, except the pages themselves.
 */
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { basename, dirname, extname, join } from 'node:path'
import { build } from 'esbuild'
import { BASE } from '../base-path.ts'
import type { Asset, Assets } from '../ports.ts'
import { TRACKER_PATH } from '../serve/assets.ts'
import { buildTracker } from '../tracker/bundle.ts'

const here = import.meta.dirname
const CONTENT_TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
}

const assetOf = (name: string, content: Uint8Array, immutable: boolean): Asset => ({
  // A copy: `readFile` and esbuild give views of larger buffers.
  body: Uint8Array.from(content),
  contentType: CONTENT_TYPES[extname(name)] ?? 'application/octet-stream',
  immutable,
})

/** @throws Error when the dashboard's sources don't build */
export async function buildAssets(): Promise<Assets> {
  const assets = new Map<string, Asset>()
  /** The hashed path of each file, by its plain name. */
  const paths = new Map<string, string>()
  for (const { name, content } of [...(await bundled()), ...(await swaggerUi())]) {
    const hash = createHash('sha256').update(content).digest('base64url').slice(0, 10)
    const path = `/assets/${basename(name, extname(name))}-${hash}${extname(name)}`
    paths.set(name, path)
    assets.set(path, assetOf(name, content, true))
  }
  const page = async (name: string) => {
    const html = (await readFile(join(here, name), 'utf8')).replaceAll(/\{\{([\w.-]+)\}\}/g, (_, file: string) => {
      const path = paths.get(file)
      if (!path) throw new Error(`${name} wants ${file}, which was not built`)
      return path
    })
    return assetOf(name, new TextEncoder().encode(html), false)
  }
  const docs = await page('docs.html')
  assets.set('/', await page('index.html'))
  assets.set('/docs', docs)
  assets.set(`${BASE}/docs`, docs)
  assets.set(TRACKER_PATH, await buildTracker())
  assets.set('/favicon.svg', assetOf('favicon.svg', await readFile(join(here, 'favicon.svg')), false))
  return assets
}

interface File {
  name: string
  content: Uint8Array
}

async function bundled(): Promise<File[]> {
  const { outputFiles } = await build({
    entryPoints: ['page.ts', 'theme-first.ts', 'docs.ts', 'style.css'].map((name) => join(here, name)),
    outdir: join(here, 'out'),
    bundle: true,
    minify: true,
    write: false,
    format: 'esm',
    target: 'es2022',
    legalComments: 'none',
    logLevel: 'silent',
  })
  return outputFiles.map((file) => ({ name: basename(file.path), content: file.contents }))
}

async function swaggerUi(): Promise<File[]> {
  const folder = dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'))
  const names = ['swagger-ui-bundle.js', 'swagger-ui.css']
  return Promise.all(names.map(async (name) => ({ name, content: await readFile(join(folder, name)) })))
}
