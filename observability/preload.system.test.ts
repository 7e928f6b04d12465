/** A real process and a real thread that are traced, a collector that takes, refuses or is away: what arrives, what is said, and that the end waits for no more than its bound. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { afterEach, expect, it } from 'vitest'
import { eventually } from '../tests/support/eventually.ts'
import { type OtlpReceiver, startOtlpReceiver } from './testing/otlp-receiver.ts'

const file = (path: string): string => fileURLToPath(new URL(path, import.meta.url))
const LOADER = file('../cli/typescript.mjs')
const PRELOAD = file('./preload.ts')
const TRACED = file('./testing/traced-process.ts')

const undo: (() => unknown)[] = []
afterEach(async () => {
  for (const each of undo.splice(0)) await each()
})

async function receiver(): Promise<OtlpReceiver> {
  const started = await startOtlpReceiver()
  undo.push(() => started.close())
  return started
}

/** Runs until it is told to stop: then its span and its thread's end, and nothing but the preload sends them. */
function start(endpoint: string, role = 'streams') {
  const child = spawn(process.execPath, ['--import', LOADER, '--import', PRELOAD, TRACED, role], {
    env: { ...process.env, OTEL_EXPORTER_OTLP_ENDPOINT: endpoint },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  undo.push(() => child.kill('SIGKILL'))
  const said: string[] = []
  child.stderr.on('data', (chunk: Buffer) => said.push(chunk.toString()))
  const begun = once(child.stdout, 'data')
  const closed = once(child, 'close') as Promise<[number | null]>
  return {
    begun,
    said: () => said.join(''),
    line: async () => {
      while (!said.join('').includes('\n')) await once(child.stderr, 'data')
      return JSON.parse(said.join('').split('\n')[0]!) as Record<string, unknown>
    },
    async stop(): Promise<number | null> {
      child.kill('SIGTERM')
      return (await closed)[0]
    },
  }
}

it('what a process and its threads have recorded is sent before they end', async () => {
  const collector = await receiver()
  const traced = start(collector.url)
  await traced.begun
  // What is sent at the end has two seconds, which are not for the first request of each as well.
  await eventually('the spans of both starts are there', 60_000, () => collector.spans.length === 2)
  expect(await traced.stop()).toBe(0)
  const names = (service: string) => collector.spans.filter((span) => span.service === service).map(({ name }) => name)
  expect(names('streamforge-streams').sort()).toEqual(['last of the process', 'streamforge.start'])
  expect(names('streamforge-lake-writer').sort()).toEqual(['last of the thread', 'streamforge.start'])
  expect(traced.said()).toBe('')
})

it('a collector that refuses is told in one line with the remedy, and keeps nothing from ending', async () => {
  const collector = await receiver()
  collector.answerWith(401)
  const traced = start(collector.url)
  expect(await traced.line()).toMatchObject({
    level: 'warn',
    component: 'streams',
    why: expect.stringContaining('401'),
    msg: expect.stringContaining(`Start a collector that takes OTLP over HTTP at ${collector.url}/v1/traces`),
  })
  await traced.begun
  expect(await traced.stop()).toBe(0)
  expect(traced.said().trim().split('\n')).toHaveLength(1)
})

it('one that is away makes the end wait no longer than its bound', async () => {
  const collector = await receiver()
  await collector.close()
  const traced = start(collector.url)
  await traced.begun
  const askedMs = performance.now()
  expect(await traced.stop()).toBe(0)
  // Two seconds for the thread, two for the process, and what a busy machine adds; an exporter left to itself tries for ten each.
  expect(performance.now() - askedMs).toBeLessThan(15_000)
  undo.length = 0
})

it('a command without a role loads nothing and sends nothing', async () => {
  const collector = await receiver()
  const traced = start(collector.url, 'token')
  await traced.begun
  expect(await traced.stop()).toBe(0)
  expect(collector.spans.filter(({ service }) => service !== 'streamforge-lake-writer')).toEqual([])
})
