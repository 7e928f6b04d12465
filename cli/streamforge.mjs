#!/usr/bin/env node
// The bin: installs what a fresh clone is missing, lets Node run TypeScript, and hands over to cli/main.ts.
// Plain JavaScript on purpose: it must run before anything is installed.
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
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

/** Whether node_modules holds what package-lock.json asks for: npm leaves a lock file of its own there. */
function isInstalled() {
  try {
    const wanted = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')).packages
    const there = JSON.parse(readFileSync(join(root, 'node_modules', '.package-lock.json'), 'utf8')).packages
    return Object.entries(wanted).every(
      ([path, { version, optional }]) => path === '' || optional || there[path]?.version === version,
    )
  } catch {
    return false
  }
}

if (!isInstalled()) {
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
}

await import('./typescript.mjs')
const { main } = await import('./main.ts')
await main(process.argv.slice(2))
