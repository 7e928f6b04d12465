/** The Makefile: `make help` tells of every target, and what a target would run is there: npm's scripts, commands of streamforge, services of the compose file, files. */
import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { run } from '../cli/servers/run.ts'
import { ROOT, runCli } from './support/processes.ts'

const make = (...args: string[]) => run('make', ['--no-print-directory', ...args], { cwd: ROOT })
const targets = async (): Promise<string[]> =>
  [...(await make('help')).stdout.matchAll(/^ {2}make (\S+) +\S/gm)].map(([, name]) => name!)

test('make alone, and make help, tell of every target in a line', async () => {
  const phony = /^\.PHONY: (.*)$/m.exec(await readFile(join(ROOT, 'Makefile'), 'utf8'))![1]!.split(' ')
  expect((await targets()).sort()).toEqual(phony.sort())
  expect(await make()).toEqual(await make('help'))
})

test('each target is one line onto something that is there', async () => {
  const { scripts } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8'))
  const commands = (await runCli(['help'])).out
  const { services } = parse(await readFile(join(ROOT, 'docker-compose.yml'), 'utf8'), {
    merge: true,
    maxAliasCount: -1,
  })
  for (const target of await targets()) {
    if (target === 'help') continue
    const { code, stdout, stderr } = await make('-n', target, 'NAME=ingest', 'SERVICE=streams')
    expect([code, stderr], target).toEqual([0, ''])
    const line = stdout.trim()
    expect(line.split('\n'), target).toHaveLength(1)
    const [, script] = /^npm (?:run )?([\w:]+)/.exec(line) ?? []
    if (script) expect(scripts, target).toHaveProperty([script])
    const [, command] = /streamforge\.mjs ([\w-]+)/.exec(line) ?? []
    if (command) expect(commands, target).toContain(`  ${command} `)
    const [, service] = /(?:run --rm|exec|--tail 100) ([\w-]+)/.exec(line) ?? []
    if (service) expect(services, target).toHaveProperty([service])
    for (const [path] of line.matchAll(/\bdeploy\/\S+/g)) await stat(join(ROOT, path))
    expect(/^(npm|npx vitest|node|docker compose) /.test(line), line).toBe(true)
  }
})
