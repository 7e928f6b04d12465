// Applies postgres.patch to the installed driver; `npm ci` and `npm install` call it. Plain JavaScript on purpose: it runs before TypeScript can.
//
// postgres.js 3.4.9 does not survive a session that ends inside a transaction (its issues 1154, 1186, 1208 and 1216; pull requests 1209 and 1215 are not released):
// the process crashes, or the connection never connects again, or what is left of the transaction runs on the next session, outside of any transaction.
// lost-session.system.test.ts shows each. To be removed with the release that passes it.
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { applyPatch, parsePatch, reversePatch } from 'diff'

const here = dirname(fileURLToPath(import.meta.url))
const root = join(here, '../../..')

for (const patch of parsePatch(readFileSync(join(here, 'postgres.patch'), 'utf8'))) {
  const path = join(root, patch.newFileName.replace(/^b\//, ''))
  // Left out on purpose, as by `npm ci --omit`.
  if (!existsSync(path)) continue
  const text = readFileSync(path, 'utf8')
  const patched = applyPatch(text, patch)
  if (patched !== false) {
    // Not in place: npm may have linked the file to its cache.
    writeFileSync(`${path}.new`, patched)
    renameSync(`${path}.new`, path)
  } else if (applyPatch(text, reversePatch(patch)) === false) {
    console.error(
      `${path} is not the version that db/postgres/patches/postgres.patch was made for. Run "npm ci", which installs it.`,
    )
    process.exit(1)
  }
}
