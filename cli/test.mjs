// `npm test`: everything, from types to real servers, ending with one line of counts. A skip is shown, and under CI=true it is a failure.
import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ensureInstalled, root } from './install.mjs'

ensureInstalled({ forDevelopment: true })
const bin = (name) => join(root, 'node_modules', '.bin', name)
const reports = mkdtempSync(join(tmpdir(), 'streamforge-test-'))
const count = { passed: 0, failed: 0, skipped: 0 }
const isCi = !/^(|false|0|no|off)$/i.test(process.env.CI ?? '')

const run = (command, args) =>
  spawnSync(command, args, { cwd: root, stdio: 'inherit', shell: process.platform === 'win32' }).status === 0

/** Each passes or fails as a whole. All at once, since the slowest, types, keeps one core busy; what they say is shown one after the other. */
async function check(commands) {
  const running = commands.map(([what, command, ...args]) => ({ what, ended: toItsEnd(bin(command), args) }))
  for (const { what, ended } of running) {
    console.log(`\n— ${what}`)
    const { code, output } = await ended
    process.stdout.write(output)
    if (code === 0) count.passed++
    else count.failed++
  }
}

const toItsEnd = (command, args) =>
  new Promise((done) => {
    const child = spawn(command, args, { cwd: root, stdio: 'pipe', shell: process.platform === 'win32' })
    let output = ''
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text) => {
        output += text
      })
    child.once('error', ({ message }) => done({ code: null, output: message }))
    child.once('close', (code) => done({ code, output }))
  })

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
  const folders = ['edge', 'streams', 'db', 'observability', 'cli', 'tests', 'bench', 'workflows']
  await check([
    ['types', 'tsc', '--noEmit'],
    ['format and lint', 'biome', 'check', '--error-on-warnings'],
    ['import rules', 'depcruise', '--config', '.dependency-cruiser.cjs', '--output-type', 'err', ...folders],
  ])
  suite('unit')
  suite('system')
} finally {
  rmSync(reports, { recursive: true, force: true })
}
if (isCi && count.skipped > 0) console.log('\nUnder CI every test must run: the skipped ones above count as failures.')
console.log(`\n${count.passed} passed, ${count.failed} failed, ${count.skipped} skipped`)
process.exitCode = count.failed > 0 || (isCi && count.skipped > 0) ? 1 : 0
