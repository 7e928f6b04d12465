#!/usr/bin/env node
// The bin: installs what a fresh clone is missing, lets Node run TypeScript, and hands over to cli/main.ts.
// Plain JavaScript on purpose: it must run before anything is installed.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
if (major < 20 || (major === 20 && minor < 15)) {
  console.error(
    `StreamForge needs Node 20.15 or newer; this is ${process.versions.node}. Get one at https://nodejs.org.`,
  )
  process.exit(1)
}

const lock = createHash('sha256')
  .update(readFileSync(join(root, 'package-lock.json')))
  .digest('hex')
const stamp = join(root, 'node_modules', '.streamforge-lock')
if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== lock) {
  console.error('Installing dependencies (first run, or package-lock.json has changed) …')
  const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm'
  const { status, error } = spawnSync(npm, ['ci', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: root,
    stdio: ['ignore', 2, 2],
    shell: process.platform === 'win32',
  })
  if (status !== 0) {
    console.error(
      `\nThe dependencies could not be installed${error ? ` (${error.message})` : ''}. See npm's message above; "npm ci" in ${root} tries it again.`,
    )
    process.exit(1)
  }
  writeFileSync(stamp, lock)
}

await import('./typescript.mjs')
const { main } = await import('./main.ts')
await main(process.argv.slice(2))
