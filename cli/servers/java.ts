/** Finding a Java that is new enough: JAVA_HOME, then where packages and people put them, then the PATH. The first that will do is taken. */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { run } from './run.ts'

const PLACES = ['/opt', '/usr/lib/jvm', '/Library/Java/JavaVirtualMachines']

/**
 * @param javaHome of the configuration; empty: none
 * @returns the program, or null where there is none of at least this version
 */
export async function findJava(versionMin: number, javaHome: string): Promise<string | null> {
  for (const home of [...(javaHome === '' ? [] : [javaHome]), ...(await homes())]) {
    if ((await versionOf(home)) >= versionMin) return join(home, 'bin', 'java')
  }
  const said = await run('java', ['-version']).catch(() => null)
  const [, version] = /version "(\d+)/.exec(said?.stderr ?? '') ?? []
  return Number(version) >= versionMin ? 'java' : null
}

async function homes(): Promise<string[]> {
  const found: string[] = []
  for (const place of PLACES) {
    for (const name of await readdir(place).catch(() => [])) {
      found.push(join(place, name), join(place, name, 'Contents', 'Home'))
    }
  }
  return found
}

/** Every JDK since 9 says so in a file; 0 where there is none. */
async function versionOf(home: string): Promise<number> {
  const release = await readFile(join(home, 'release'), 'utf8').catch(() => '')
  return Number(/^JAVA_VERSION="(\d+)/m.exec(release)?.[1] ?? 0)
}
