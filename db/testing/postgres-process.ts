/**
 * A process that starts the embedded PostgreSQL and stays, for tests that kill it: `node --import cli/typescript.mjs … <folder> <password>`.
 * Prints one line of JSON when the server is up; ends in order on SIGTERM.
 */
import { startEmbeddedPostgres } from '../postgres/server.ts'

const [folder, password] = process.argv.slice(2)
if (!folder || !password) throw new Error('Usage: postgres-process.ts <folder> <password>')
const server = await startEmbeddedPostgres({ folder, password })
const stay = setInterval(() => {}, 1_000)
process.once('SIGTERM', () => {
  clearInterval(stay)
  void server.stop()
})
// Last: whoever reads the line may send a signal at once.
process.stdout.write(`${JSON.stringify({ url: server.url, pid: server.pid })}\n`)
