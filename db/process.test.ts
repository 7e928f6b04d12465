import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import type { Writable } from 'node:stream'
import { expect, it, onTestFinished } from 'vitest'
import { isAlive } from './process.ts'

it('a process is there while it runs, also when it is not ours, and no longer when it has ended', async () => {
  expect(isAlive(process.pid)).toBe(true)
  expect(isAlive(process.ppid)).toBe(true)
  const child = spawn(process.execPath, ['-e', ''])
  await once(child, 'exit')
  expect(isAlive(child.pid!)).toBe(false)
  for (const nonsense of [0, -1, 1.5, Number.NaN]) expect(isAlive(nonsense)).toBe(false)
})

it.runIf(process.platform === 'linux')('one that has ended is gone, although its parent never asks how', async () => {
  // The shell becomes a program that knows nothing of the child it had, and only then the child may end: the shell itself would ask.
  const parent = spawn('sh', ['-c', 'cat <&3 & echo $!; exec sleep 600'], {
    stdio: ['ignore', 'pipe', 'ignore', 'pipe'],
  })
  onTestFinished(() => void parent.kill('SIGKILL'))
  const [line] = await once(parent.stdout!, 'data')
  const pid = Number(String(line).trim())
  expect(pid).toBeGreaterThan(1)
  await expect.poll(() => readFileSync(`/proc/${parent.pid}/comm`, 'utf8'), { timeout: 20_000 }).toBe('sleep\n')
  ;(parent.stdio[3] as Writable).end()
  await expect.poll(() => isAlive(pid), { timeout: 20_000 }).toBe(false)
  // It is still in the table of processes: without a look at its state it would pass for alive.
  expect(() => process.kill(pid, 0)).not.toThrow()
})
