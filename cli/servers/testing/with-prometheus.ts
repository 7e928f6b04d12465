/**
 * Real Prometheus and Alertmanager servers for tests, and their tools. Nothing is left behind: they end with the file's last test, and their folders go with them; what a killed run left is swept by
 * the next. Where they can't be had it is a visible skip that says why; under CI it is a failure.
 */
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll } from 'vitest'
import { loadConfig } from '../../../db/config.ts'
import { type MonitoringServer, prometheusPrograms, startAlertmanager, startPrometheus } from '../prometheus.ts'
import { run, type ToolResult } from '../run.ts'
import { makeTestFolder, onceOrSkip, sweep, type TestServer } from './once-or-skip.ts'

/** One of a file. */
type Kind = 'prometheus' | 'alertmanager'

export interface TestPrometheus {
  /** @param configuration its YAML, or JSON, which is YAML too. @returns the server, which has read it */
  start(kind: Kind, configuration: string): Promise<MonitoringServer>
  /** Runs a tool to its end. */
  tool(name: 'promtool' | 'amtool', args: readonly string[]): Promise<ToolResult>
}

const KINDS: Record<Kind, TestServer & { begin: typeof startPrometheus }> = {
  prometheus: { kind: 'prometheus', name: 'Prometheus', folder: 'prometheus', begin: startPrometheus },
  alertmanager: { kind: 'alertmanager', name: 'Alertmanager', folder: 'alertmanager', begin: startAlertmanager },
}

/**
 * Call at the top of a test file (or a describe): it registers the hooks. The result may be used inside tests only.
 * @param prepare runs once, before the first test, where the programs are there
 */
export function withPrometheus(
  prepare?: (servers: TestPrometheus) => Promise<void>,
  timeoutMs = 300_000,
): TestPrometheus {
  const { serversDir } = loadConfig(process.env)
  const undo: (() => Promise<unknown>)[] = []

  onceOrSkip(async () => {
    for (const server of Object.values(KINDS)) await sweep(server)
    await prometheusPrograms({ serversDir })
    await prepare?.(servers)
  }, timeoutMs)
  afterAll(async () => {
    for (const step of undo.splice(0).reverse()) await step()
  })

  const servers: TestPrometheus = {
    async start(kind, text) {
      const server = KINDS[kind]
      const parent = await makeTestFolder(server)
      undo.push(() => rm(parent, { recursive: true, force: true }))
      const folder = join(parent, server.folder)
      await mkdir(folder)
      const configuration = join(folder, 'configuration.yml')
      await writeFile(configuration, text)
      const running = await server.begin({ folder, configuration, serversDir })
      undo.push(() => running.stop())
      return running
    },
    async tool(name, args) {
      return run((await prometheusPrograms({ serversDir }))[name], args)
    },
  }
  return servers
}
