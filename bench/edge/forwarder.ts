/** The peer of `edge/ingest`: `forwarder/server.mjs` with the libraries of its own lock file, fetched once into the cache of servers. */
import { createHash } from 'node:crypto'
import { copyFile, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { cached } from '../../cli/servers/cache.ts'
import { lastLines, run } from '../../cli/servers/run.ts'
import { BenchmarkUnavailable } from '../report.ts'

const FILES = ['package.json', 'package-lock.json', 'server.mjs']
const file = (name: string): string => fileURLToPath(new URL(`./forwarder/${name}`, import.meta.url))

/** @returns the program to start @throws BenchmarkUnavailable when npm can't fetch what it needs */
export async function forwarderProgram(serversDir: string): Promise<string> {
  const digest = createHash('sha256')
  for (const name of FILES) digest.update(await readFile(file(name)))
  const folder = await cached({
    serversDir,
    name: `forwarder-${digest.digest('hex').slice(0, 12)}`,
    async build(aside) {
      for (const name of FILES) await copyFile(file(name), join(aside, name))
      const result = await run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], { cwd: aside })
      if (result.code !== 0) {
        throw new BenchmarkUnavailable(`npm could not fetch Fastify and @platformatic/kafka:\n${lastLines(result)}`)
      }
    },
  })
  return join(folder, 'server.mjs')
}
