/** The Node of a version, from its npm package, kept in the cache: tests run the image's program on the very Node that its Dockerfile names. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { cached, ServerUnavailable } from './cache.ts'
import { lastLines, run } from './run.ts'

/** @param version e.g. `24.21.0` @returns the folder of `bin/node`. @throws ServerUnavailable naming what is missing */
export async function nodeOfVersion(version: string, { serversDir }: { serversDir: string }): Promise<string> {
  const folder = await cached({
    serversDir,
    name: `node-${version}`,
    async build(aside) {
      await writeFile(join(aside, 'package.json'), '{"private":true}')
      const install = ['install', '--no-audit', '--no-fund', '--loglevel=error', `node@${version}`]
      const result = await run('npm', install, { cwd: aside })
      if (result.code !== 0)
        throw new ServerUnavailable(
          `npm could not fetch Node ${version}: it needs to reach an npm registry. It said:\n${lastLines(result)}`,
        )
    },
  })
  return join(folder, 'node_modules', 'node')
}
