// `npm test`: everything, from types to real servers, ending with one line of counts. A skip is shown, and under CI=true it is a failure.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ensureInstalled, root } from './install.mjs'

ensureInstalled()
const bin = (name) => join(root, 'node_modules', '.bin', name)
const reports = mkdtempSync(join(tmpdir(), 'streamforge-test-'))
const count = { passed: 0, failed: 0, skipped: 0 }
const isCi = !/^(|false|0|no|off)$/i.test(process.env.CI ?? '')

const run = (command, args) =>
  spawnSync(command, args, { cwd: root, stdio: 'inherit', shell: process.platform === 'win32' }).status === 0

/** One check that passes or fails as a whole. */
function check(what, command, args) {
  console.log(`\n— ${what}`)
  if (run(command, args)) count.passed++
  else count.failed++
}

function suite(project) {
  console.log(`\n— ${project} tests`)
  const report = join(reports, `${project}.json`)
  const ok = run(bin('vitest'), [
    'run',
    '--project',
    project,
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${report}`,
    ...process.argv.slice(2),
  ])
  try {
    const { numPassedTests, numFailedTests, numPendingTests, testResults } = JSON.parse(readFileSync(report, 'utf8'))
    count.passed += numPassedTests
    count.failed += numFailedTests
    count.skipped += numPendingTests
    for (const { assertionResults } of testResults) {
      for (const { status, fullName } of assertionResults)
        if (status === 'pending' || status === 'skipped') console.log(`skipped: ${fullName}`)
    }
    // A file that breaks before its tests, or an unhandled rejection, fails the run without a failed test.
    if (!ok && numFailedTests === 0) count.failed++
  } catch {
    count.failed++
  }
}

try {
  check('types', bin('tsc'), ['--noEmit'])
  check('format and lint', bin('biome'), ['check', '--error-on-warnings'])
  check('import rules', bin('depcruise'), [
    '--config',
    '.dependency-cruiser.cjs',
    '--output-type',
    'err',
    'edge',
    'streams',
    'db',
    'observability',
    'cli',
    'tests',
    'bench',
    'workflows',
  ])
  suite('unit')
  suite('system')
} finally {
  rmSync(reports, { recursive: true, force: true })
}
if (isCi && count.skipped > 0) console.log('\nUnder CI every test must run: the skipped ones above count as failures.')
console.log(`\n${count.passed} passed, ${count.failed} failed, ${count.skipped} skipped`)
process.exitCode = count.failed > 0 || (isCi && count.skipped > 0) ? 1 : 0
