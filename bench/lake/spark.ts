/**
 * Spark as a peer: PySpark in a virtual environment, with Iceberg's runtime, both kept in the servers' cache (some 700 MB), over the same JDBC catalog. One session for all
 * statements, local, on as many threads as there are cores.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { cached, ServerUnavailable } from '../../cli/servers/cache.ts'
import { findJava } from '../../cli/servers/java.ts'
import { lastLines, run } from '../../cli/servers/run.ts'

/** Of what requirements.txt and pom.xml name. */
const CACHE_NAME = 'spark-4.0.1-iceberg-1.10.1'
/** Spark 4.0 runs on 17 and 21. */
const JAVA = { min: 17, home: '/usr/lib/jvm/java-17-openjdk-amd64' }

export interface SparkSession {
  readonly pid: number
  /** @throws Error with Spark's message */
  sql(text: string): Promise<{ rows: Record<string, unknown>[]; seconds: number }>
  stop(): Promise<void>
}

export interface SparkOptions {
  serversDir: string
  /** `postgres://user:password@host:port/database` of the JDBC catalog, whose name here is `lake`. */
  postgresUrl: string
  warehouse: string
  heapGb?: number
}

/** @throws ServerUnavailable naming what is missing */
export async function startSpark({
  serversDir,
  postgresUrl,
  warehouse,
  heapGb = 2,
}: SparkOptions): Promise<SparkSession> {
  const home = await sparkHome(serversDir)
  const java = await findJava(JAVA.min, JAVA.home)
  if (java === null) throw new ServerUnavailable(`Spark needs a Java of at least ${JAVA.min}.`)
  const jars = (await readdir(join(home, 'jars'))).map((name) => join(home, 'jars', name))
  const { hostname, port, pathname, username, password } = new URL(postgresUrl)
  const catalog = 'spark.sql.catalog.lake'
  const conf = {
    'spark.jars': jars.join(','),
    'spark.driver.memory': `${heapGb}g`,
    'spark.driver.host': '127.0.0.1',
    'spark.driver.bindAddress': '127.0.0.1',
    'spark.ui.enabled': 'false',
    'spark.sql.session.timeZone': 'UTC',
    'spark.sql.extensions': 'org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions',
    [catalog]: 'org.apache.iceberg.spark.SparkCatalog',
    [`${catalog}.type`]: 'jdbc',
    [`${catalog}.uri`]: `jdbc:postgresql://${hostname}:${port || 5432}${pathname}`,
    [`${catalog}.jdbc.user`]: decodeURIComponent(username),
    [`${catalog}.jdbc.password`]: decodeURIComponent(password),
    [`${catalog}.jdbc.schema-version`]: 'V1',
    [`${catalog}.warehouse`]: warehouse,
  }
  const script = fileURLToPath(new URL('./spark/session.py', import.meta.url))
  const child = spawn(
    join(home, 'venv', 'bin', 'python'),
    ['-I', script, JSON.stringify({ master: 'local[*]', conf })],
    {
      stdio: ['pipe', 'pipe', 'inherit'],
      env: { ...process.env, ...(java !== 'java' && { JAVA_HOME: dirname(dirname(java)) }) },
    },
  )
  const ended = once(child, 'exit')
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const next = async () => {
    const { value, done } = await lines.next()
    if (done) throw new Error('Spark ended without an answer; what it said is above.')
    const answer = JSON.parse(value) as { rows: Record<string, unknown>[]; seconds: number; error?: string }
    if (answer.error !== undefined) throw new Error(`Spark: ${answer.error}`)
    return answer
  }
  await next()
  return {
    pid: child.pid!,
    sql(text) {
      child.stdin.write(`${JSON.stringify({ sql: text })}\n`)
      return next()
    },
    async stop() {
      child.stdin.end()
      await ended
    },
  }
}

/** `venv` with PySpark and `jars`. */
function sparkHome(serversDir: string): Promise<string> {
  const beside = (name: string) => fileURLToPath(new URL(`./spark/${name}`, import.meta.url))
  return cached({
    serversDir,
    name: CACHE_NAME,
    async build(aside) {
      const must = async (what: string, program: string, args: readonly string[]) => {
        const done = await run(program, args).catch((error: Error) => error)
        if (done instanceof Error || done.code !== 0)
          throw new ServerUnavailable(
            `${what} Spark, as a peer, needs Python 3.10 or newer with venv, Maven, and their package registries. It said:\n${done instanceof Error ? done.message : lastLines(done)}`,
          )
      }
      console.error('Fetching Spark and its Iceberg runtime, once (some 700 MB) …')
      await must('No virtual environment could be made.', 'python3', ['-m', 'venv', join(aside, 'venv')])
      const pip = ['-m', 'pip', 'install', '--quiet', '--no-input', '--disable-pip-version-check']
      const python = join(aside, 'venv', 'bin', 'python')
      await must('pip could not install PySpark.', python, [...pip, '-r', beside('requirements.txt')])
      const out = `-Dstreamforge.out=${aside}`
      await must('Maven could not fetch the jars.', 'mvn', ['-q', '-B', '-f', beside('pom.xml'), out, 'package'])
    },
  })
}
