/** With Python, which can end the first of its threads alone; a killed server passes through the same state for as long as its other threads take to end. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { expect, it, onTestFinished } from 'vitest'
import { isAlive } from './process.ts'

const EXIT_OF_ONE_THREAD = { x64: 60, arm64: 93 }[process.arch as 'x64' | 'arm64']

const SERVER = `
import ctypes, socket, threading, time
server = socket.socket()
server.bind(('127.0.0.1', 0))
server.listen()
def hold():
    print(server.getsockname()[1], flush=True)
    time.sleep(600)
threading.Thread(target=hold).start()
ctypes.CDLL(None).syscall(${EXIT_OF_ONE_THREAD}, 0)
`

it.runIf(process.platform === 'linux')('is there as long as any of its threads holds on to its port', async () => {
  const server = spawn('python3', ['-c', SERVER], { stdio: ['ignore', 'pipe', 'inherit'] })
  onTestFinished(() => void server.kill('SIGKILL'))
  const [port] = await once(server.stdout!, 'data')
  const pid = server.pid!
  await expect.poll(() => readFileSync(`/proc/${pid}/stat`, 'utf8'), { timeout: 20_000 }).toMatch(/\) Z /)
  const caller = connect(Number(port), '127.0.0.1')
  await once(caller, 'connect')
  caller.destroy()
  expect(isAlive(pid)).toBe(true)
  server.kill('SIGKILL')
  await expect.poll(() => isAlive(pid), { timeout: 20_000 }).toBe(false)
})
