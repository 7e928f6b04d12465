/**
 * A real Prometheus and a real Alertmanager without Docker, with their tools: programs of the PATH, else of their Debian packages, which are unpacked into the cache and not installed: no service
 * begins.
 *
 * Invariants: both listen on 127.0.0.1 alone, keep their data in a folder of their own, and talk to nobody but those whom their configuration names.
 */
import { cp, readdir, readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { cached, ServerUnavailable } from './cache.ts'
import { freePorts, type ServerProcess, startServer } from './process.ts'
import { exists, lastLines, run, works } from './run.ts'

const HOST = '127.0.0.1'
const TEMPLATES = '/usr/share/prometheus/alertmanager'
const PACKAGES = ['prometheus', 'prometheus-alertmanager'] as const

/** Paths, or names where they are on the PATH. */
export interface PrometheusPrograms {
  prometheus: string
  promtool: string
  alertmanager: string
  amtool: string
}

export interface MonitoringOptions {
  /** Of the server: data and log; made if missing. */
  folder: string
  /** A file; what it names besides lies where it says. */
  configuration: string
  serversDir: string
  /** For one-line messages about what takes time. */
  log?: (message: string) => void
}

export interface MonitoringServer extends ServerProcess {
  /** `http://127.0.0.1:port` */
  readonly url: string
}

/** @throws ServerUnavailable when the program can't be had; Error when it does not start, e.g. because of its configuration */
export async function startPrometheus(options: MonitoringOptions): Promise<MonitoringServer> {
  const { prometheus } = await prometheusPrograms(options)
  return startOn('Prometheus', prometheus, options, (folder, address) => [
    `--storage.tsdb.path=${join(folder, 'data')}`,
    `--web.listen-address=${address}`,
    // What it has seen last can be asked for in the same second.
    '--query.lookback-delta=30s',
  ])
}

/** @throws as {@link startPrometheus} */
export async function startAlertmanager(options: MonitoringOptions): Promise<MonitoringServer> {
  const { alertmanager } = await prometheusPrograms(options)
  if (alertmanager.startsWith(options.serversDir)) await haveTemplates(alertmanager)
  return startOn('Alertmanager', alertmanager, options, (folder, address) => [
    `--storage.path=${join(folder, 'data')}`,
    `--web.listen-address=${address}`,
    // One of one: it looks for no others.
    '--cluster.listen-address=',
  ])
}

async function startOn(
  name: string,
  program: string,
  options: MonitoringOptions,
  args: (folder: string, address: string) => string[],
): Promise<MonitoringServer> {
  const folder = resolve(options.folder)
  const [port] = await freePorts(1)
  const url = `http://${HOST}:${port}`
  const server = await startServer(
    {
      name,
      folder,
      program,
      args: [`--config.file=${resolve(options.configuration)}`, ...args(folder, `${HOST}:${port}`)],
    },
    async () => (await fetch(`${url}/-/ready`, { signal: AbortSignal.timeout(2_000) })).ok,
  )
  return { ...server, url }
}

/** @throws ServerUnavailable naming what is missing */
export async function prometheusPrograms({
  serversDir,
  log,
}: Pick<MonitoringOptions, 'serversDir' | 'log'>): Promise<PrometheusPrograms> {
  const [promtool, amtool] = await Promise.all(['promtool', 'amtool'].map((tool) => works(tool, ['--version'])))
  // Debian calls it by its package.
  const alertmanager = (await works('alertmanager', ['--version'])) ? 'alertmanager' : 'prometheus-alertmanager'
  if (promtool && amtool && (await works('prometheus', ['--version'])) && (await works(alertmanager, ['--version'])))
    return { prometheus: 'prometheus', promtool: 'promtool', alertmanager, amtool: 'amtool' }
  const folder = await cached({
    serversDir,
    name: `prometheus-${await release()}`,
    build: (aside) => unpackDebian(aside, log),
  })
  const bin = join(folder, 'usr', 'bin')
  return {
    prometheus: join(bin, 'prometheus'),
    promtool: join(bin, 'promtool'),
    alertmanager: join(bin, 'prometheus-alertmanager'),
    amtool: join(bin, 'amtool'),
  }
}

/** Debian's Alertmanager reads the texts of its messages from one place of the system alone, and ends without them: these files, and nothing else, are put there. */
async function haveTemplates(program: string): Promise<void> {
  if (await exists(TEMPLATES)) return
  await cp(join(program, '..', '..', '..', TEMPLATES), TEMPLATES, { recursive: true }).catch((error: Error) => {
    throw new ServerUnavailable(
      `Debian's Alertmanager needs its templates in ${TEMPLATES} (${error.message}): apt-get install prometheus-alertmanager, or as root once.`,
    )
  })
}

/** A release of Debian or Ubuntu keeps its versions, and its packages fit its own libraries alone. */
async function release(): Promise<string> {
  const text = await readFile('/etc/os-release', 'utf8').catch(() => '')
  const [id, version] = ['ID', 'VERSION_ID'].map(
    (key) => new RegExp(`^${key}="?([^"\\n]+)`, 'm').exec(text)?.[1] ?? 'unknown',
  )
  return `${id}-${version}-${process.arch}`
}

async function unpackDebian(aside: string, log: MonitoringOptions['log']): Promise<void> {
  const remedy =
    'Prometheus and Alertmanager need "prometheus", "promtool", "alertmanager" and "amtool" on the PATH: https://prometheus.io/download. On Debian and Ubuntu their packages are fetched by themselves, where apt-get can.'
  if (!(await works('apt-get', ['--version'])) || !(await works('dpkg-deb', ['--version'])))
    throw new ServerUnavailable(remedy)
  log?.('Fetching Prometheus and Alertmanager from their Debian packages, once …')
  const download = () => run('apt-get', ['download', '-q', ...PACKAGES], { cwd: aside })
  let result = await download()
  if (result.code !== 0) {
    // The lists may be old or missing: root may fetch them.
    await run('apt-get', ['update', '-q'])
    result = await download()
  }
  if (result.code !== 0)
    throw new ServerUnavailable(`${remedy} Fetching them failed ("apt-get update" may help):\n${lastLines(result)}`)
  for (const file of (await readdir(aside)).filter((name) => name.endsWith('.deb'))) {
    const unpacked = await run('dpkg-deb', ['--extract', join(aside, file), aside])
    if (unpacked.code !== 0)
      throw new ServerUnavailable(`${remedy} ${file} could not be unpacked:\n${lastLines(unpacked)}`)
  }
}
