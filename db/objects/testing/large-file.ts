/**
 * A process of `s3.system.test.ts`: puts a large file into a store and gets it back, and prints by how many bytes its memory grew meanwhile. A process of its own, since what another
 * test has left for the collector would count.
 * Reads `{"target": S3Options, "from": path, "to": path}` from standard input.
 */
import { text } from 'node:stream/consumers'
import { openS3Objects, type S3Options } from '../s3.ts'

const SAMPLED_MS = 20

const { target, from, to } = JSON.parse(await text(process.stdin)) as { target: S3Options; from: string; to: string }
const store = openS3Objects(target)
const before = process.memoryUsage.rss()
let peak = 0
const watch = setInterval(() => {
  peak = Math.max(peak, process.memoryUsage.rss() - before)
}, SAMPLED_MS)
try {
  await store.putFile('big', from)
  if (!(await store.getFile('big', to))) throw new Error('What was put is not there.')
} finally {
  clearInterval(watch)
}
process.stdout.write(JSON.stringify({ peak }))
