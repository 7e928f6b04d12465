/**
 * The image of the Dockerfile without an engine: its instructions are done, one by one, in a root folder of their own, by chroot in namespaces of their own; containers are started from
 * it as an engine would with `--read-only`, `--user` and a volume. The base image is stood in for by this machine's programs and the Node of the base's version.
 *
 * Invariants: a container may write its volume and /tmp alone; its first process is the role itself, as process 1.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { createHash, randomUUID } from 'node:crypto'
import { cp, lstat, mkdir, readFile, readlink, symlink } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { cached, ServerUnavailable } from '../../cli/servers/cache.ts'
import { nodeOfVersion } from '../../cli/servers/image-node.ts'
import { lastLines, run, type ToolResult, works } from '../../cli/servers/run.ts'
import { parseDockerfile, parseDockerignore, type Stage } from './dockerfile.ts'
import { eventually } from './eventually.ts'

const REPOSITORY = fileURLToPath(new URL('../..', import.meta.url))

export interface Image {
  root: string
  /** What the Dockerfile sets. */
  env: Readonly<Record<string, string>>
  workdir: string
  /** `uid:gid` */
  user: string
  entrypoint: readonly string[]
  healthcheck: readonly string[]
  nodeVersion: string
}

/** @param folder where the root folder is made. @throws ServerUnavailable where this machine can't do it */
export async function buildImage(folder: string, serversDir: string): Promise<Image> {
  if (process.platform !== 'linux' || !(await works('unshare', ['--mount', '--pid', '--fork', 'true']))) {
    throw new ServerUnavailable(
      'The steps of the Dockerfile are done in namespaces of their own, which needs Linux and root.',
    )
  }
  const read = (name: string): Promise<string> => readFile(join(REPOSITORY, name), 'utf8')
  const stages = parseDockerfile(await read('Dockerfile'))
  const [first, last] = stages
  if (stages.length !== 2 || !first || !last) throw new Error('The Dockerfile has two stages')
  const nodeVersion = /^node:([\d.]+)-/.exec(last.base)?.[1] ?? ''
  const builder = new Builder(
    await nodeOfVersion(nodeVersion, { serversDir }),
    parseDockerignore(await read('.dockerignore')),
  )
  // Half a minute of npm: kept as an engine keeps its layers, under what goes into them.
  const inputs = await Promise.all(['package.json', 'package-lock.json', 'deploy/image/prune.mjs'].map(read))
  const digest = createHash('sha256')
    .update(JSON.stringify([first, inputs]))
    .digest('hex')
    .slice(0, 12)
  const dependencies = await cached({
    serversDir,
    name: `image-dependencies-${digest}`,
    build: async (aside) => void (await builder.build(first, aside, new Map())),
  })
  const root = join(folder, 'root')
  return { root, nodeVersion, ...(await builder.build(last, root, new Map([[first.name, dependencies]]))) }
}

type Built = Omit<Image, 'root' | 'nodeVersion'>

class Builder {
  readonly #node: string
  readonly #isIgnored: (path: string) => boolean

  constructor(node: string, isIgnored: (path: string) => boolean) {
    this.#node = node
    this.#isIgnored = isIgnored
  }

  async build({ instructions }: Stage, root: string, others: ReadonlyMap<string | null, string>): Promise<Built> {
    await skeleton(root, this.#node)
    const image: Built & { env: Record<string, string> } = {
      env: {},
      workdir: '/',
      user: '0:0',
      entrypoint: [],
      healthcheck: [],
    }
    for (const { name, text } of instructions) {
      if (name === 'WORKDIR') {
        image.workdir = text
        await mkdir(join(root, text), { recursive: true })
      } else if (name === 'ENV') for (const [, key, value] of text.matchAll(/(\w+)=(\S+)/g)) image.env[key!] = value!
      else if (name === 'USER') image.user = text
      else if (name === 'ENTRYPOINT') image.entrypoint = JSON.parse(text)
      else if (name === 'HEALTHCHECK') image.healthcheck = JSON.parse(text.slice(text.indexOf('CMD ') + 4))
      else if (name === 'RUN') await this.#run(text, { root, ...image })
      else if (name === 'COPY') await this.#copy(text, join(root, image.workdir), others)
    }
    return image
  }

  async #run(command: string, image: Pick<Image, 'root' | 'env' | 'workdir'>): Promise<void> {
    const result = await run('unshare', inside({ ...image, user: '0:0', writable: true }, ['sh', '-c', command]))
    if (result.code !== 0) throw new ServerUnavailable(`RUN ${command} failed:\n${lastLines(result, 15)}`)
  }

  async #copy(text: string, workdir: string, others: ReadonlyMap<string | null, string>): Promise<void> {
    const words = text.split(/\s+/)
    const from = words[0]!.startsWith('--from=') ? others.get(words.shift()!.slice('--from='.length))! : REPOSITORY
    const to = words.pop()!
    const isFolder = to.endsWith('/')
    for (const source of words) {
      const path = join(from, source)
      await cp(path, join(workdir, to, isFolder ? source : ''), {
        recursive: true,
        verbatimSymlinks: true,
        filter: (each) => from !== REPOSITORY || !this.#isIgnored(relative(REPOSITORY, each)),
      })
    }
  }
}

/** What every container has; /usr and the like are this machine's. */
async function skeleton(root: string, node: string): Promise<void> {
  for (const folder of ['usr', 'etc', 'proc', 'dev', 'tmp', 'root', 'opt/node'])
    await mkdir(join(root, folder), { recursive: true })
  for (const name of ['bin', 'sbin', 'lib', 'lib64']) {
    const link = await lstat(`/${name}`).catch(() => null)
    if (link?.isSymbolicLink()) await symlink(await readlink(`/${name}`), join(root, name))
  }
  await cp(node, join(root, 'opt/node'), { recursive: true })
}

interface Inside extends Pick<Image, 'root' | 'env' | 'workdir' | 'user'> {
  /** While the image is made; then npm's settings and cache are this machine's. */
  writable?: boolean
  /** What is mounted at /data. */
  volume?: string
}

/** The arguments of `unshare` that run a command in a root folder; it becomes process 1 there. */
function inside({ root, env, workdir, user, writable, volume }: Inside, command: readonly string[]): string[] {
  const mounts = [
    // As an engine gives each a name: two of one name would pass for one process, both being process 1.
    `hostname ${randomUUID().slice(0, 12)}`,
    'mount --bind "$ROOT" "$ROOT"',
    'for each in usr etc; do mount --bind "/$each" "$ROOT/$each"; mount -o remount,ro,bind "$ROOT/$each"; done',
    'mount --rbind /dev "$ROOT/dev"',
    'mount -t proc proc "$ROOT/proc"',
    ...(writable ? ['mount --bind "$HOME" "$ROOT/root"'] : ['mount -t tmpfs tmpfs "$ROOT/tmp"']),
    ...(volume ? ['mount --bind "$VOLUME" "$ROOT/data"'] : []),
    ...(writable ? [] : ['mount -o remount,ro,bind "$ROOT"']),
  ]
  const settings = Object.entries({
    ...(writable ? {} : { HOME: '/nonexistent' }),
    ...env,
    PATH: '/opt/node/bin:/usr/local/bin:/usr/bin:/bin',
  })
  const script = `set -e; ROOT="$1"; VOLUME="$2"; shift 2; ${mounts.join('; ')}; exec "$@"`
  return [
    ...['--mount', '--pid', '--uts', '--fork', '--kill-child', 'sh', '-c', script, 'sh', root, volume ?? ''],
    // The file that tests name in NODE_OPTIONS is not in an image.
    ...['chroot', `--userspec=${user}`, root, 'env', ...(writable ? ['-u', 'NODE_OPTIONS'] : ['-i'])],
    `--chdir=${workdir}`,
    ...settings.map(([key, value]) => `${key}=${value}`),
    ...command,
  ]
}

export interface Container {
  /** What it has written, both ways. */
  output(): string
  /** The exit code of the image's health check. */
  health(): Promise<number | null>
  /** As `docker stop` does, to process 1. @returns the exit code */
  stop(): Promise<number | null>
  kill(): void
}

/**
 * @param command a role, or more words for one that has them
 * @param volume the folder of /data, which is the user's
 */
export function startContainer(
  image: Image,
  command: readonly string[],
  { env, volume }: { env: Record<string, string>; volume: string },
): Container {
  const settings = { ...image, env: { ...image.env, ...env }, volume }
  const child = spawn('unshare', inside(settings, [...image.entrypoint, ...command]), {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const exited = new Promise<number | null>((done) => child.once('close', done))
  let said = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      said += text
    })
  }
  return {
    output: () => said,
    health: async () => (await inContainer(settings, image.healthcheck)).code,
    async stop() {
      process.kill(await processOne(child), 'SIGTERM')
      return exited
    },
    kill: () => void child.kill('SIGKILL'),
  }
}

const inContainer = (settings: Inside, command: readonly string[]): Promise<ToolResult> =>
  run('unshare', inside(settings, command))

/** The container's first process, by its id out here: the child of `unshare`. */
const processOne = (child: ChildProcess): Promise<number> =>
  eventually('unshare has a child', 5_000, async () => {
    const pids = await readFile(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8').catch(() => '')
    return Number(pids.trim().split(' ')[0]) || undefined
  })
