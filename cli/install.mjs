// Installs what a fresh clone is missing. Plain JavaScript on purpose: it runs before anything is installed.
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = dirname(dirname(fileURLToPath(import.meta.url)))

/**
 * Ends the process with a sentence where the platform can't run.
 * @param {{ forDevelopment?: boolean }} options whether what only development needs is needed now
 */
export function ensureInstalled({ forDevelopment = false } = {}) {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  if (major < 20 || (major === 20 && minor < 15)) {
    console.error(
      `StreamForge needs Node 20.15 or newer; this is ${process.versions.node}. Get one at https://nodejs.org.`,
    )
    process.exit(1)
  }
  if (isInstalled(forDevelopment)) return
  console.error('Installing dependencies (first run, or package-lock.json has changed) …')
  const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm'
  const { status, error } = spawnSync(npm, ['ci', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: root,
    stdio: ['ignore', 2, 2],
    shell: process.platform === 'win32',
  })
  if (status === 0) return
  console.error(
    `\nThe dependencies could not be installed${error ? ` (${error.message})` : ''}. npm's message above says why; "npm ci" in ${root} tries again.`,
  )
  process.exit(1)
}

/**
 * Whether node_modules holds what package-lock.json asks for: npm leaves a lock file of its own there. An installation without anything of development (an image's: `npm ci --omit=dev`)
 * is one that runs.
 */
function isInstalled(forDevelopment) {
  try {
    const wanted = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')).packages
    const there = JSON.parse(readFileSync(join(root, 'node_modules', '.package-lock.json'), 'utf8')).packages
    const takesAll = forDevelopment || Object.values(there).some(({ dev }) => dev)
    return Object.entries(wanted).every(
      ([path, { version, optional, dev }]) =>
        path === '' || optional || (dev && !takesAll) || there[path]?.version === version,
    )
  } catch {
    return false
  }
}
