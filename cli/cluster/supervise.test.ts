/** What happens to a part that ends by itself, and to one that is stopped, in virtual time. */
import { expect, it } from 'vitest'
import { VirtualClock } from '../../streams/testing/virtual-clock.ts'
import type { Exit } from '../servers/process.ts'
import { FIRST_PAUSE_MS, PAUSE_MAX_MS, type Part, supervise } from './supervise.ts'

function world() {
  const clock = new VirtualClock(0)
  const said: string[] = []
  const lives: { end: (how: Exit) => void; ended: boolean }[] = []
  let failures = 0
  const start = async (): Promise<Part> => {
    if (failures > 0) {
      failures--
      throw new Error('No room.')
    }
    let end: (how: Exit) => void = () => {}
    const life = { end: (how: Exit) => end(how), ended: false }
    const exited = new Promise<Exit>((resolve) => {
      end = (how) => {
        life.ended = true
        resolve(how)
      }
    })
    lives.push(life)
    return { pid: lives.length, exited, stop: async () => end({ code: 0, signal: null }) }
  }
  const running = () => lives.filter(({ ended }) => !ended).length
  return {
    clock,
    said,
    lives,
    running,
    fail: (times: number) => {
      failures = times
    },
    begin: () => supervise({ name: 'Redis', start, say: (sentence) => said.push(sentence), clock }),
  }
}
const KILLED: Exit = { code: null, signal: 'SIGKILL' }

it('is started again after a pause that grows while it fails, and each time it is said', async () => {
  const { clock, said, lives, running, fail, begin } = world()
  const part = await begin()
  expect(part.current.pid).toBe(1)
  fail(1)
  lives[0]!.end(KILLED)
  await clock.advance(FIRST_PAUSE_MS)
  expect([running(), said]).toEqual([
    0,
    [
      'Redis has ended (SIGKILL) and is started again in 0.5 s.',
      'Redis could not be started again: No room. The next attempt is in 1 s.',
    ],
  ])
  await clock.advance(2 * FIRST_PAUSE_MS)
  expect([running(), part.current.pid, said.at(-1)]).toEqual([1, 2, 'Redis runs again, as process 2.'])
  await part.stop()
  expect(running()).toBe(0)
})

it('that has run for long begins with the shortest pause again', async () => {
  const { clock, said, lives, begin } = world()
  const part = await begin()
  for (const i of [0, 1, 2]) {
    lives[i]!.end({ code: 1, signal: null })
    await clock.advance(PAUSE_MAX_MS)
  }
  expect(said.filter((s) => s.includes('ended')).map((s) => /in (\S+) s/.exec(s)?.[1])).toEqual(['0.5', '1', '2'])
  await clock.advance(PAUSE_MAX_MS)
  lives[3]!.end({ code: 1, signal: null })
  await clock.advance(0)
  expect(said.at(-1)).toBe('Redis has ended (exit code 1) and is started again in 0.5 s.')
  await part.stop()
})

it('is not started again once it is stopped, also in the middle of a pause', async () => {
  const { clock, lives, running, begin } = world()
  const part = await begin()
  lives[0]!.end(KILLED)
  await clock.advance(1)
  await part.stop()
  await clock.advance(PAUSE_MAX_MS)
  expect([lives.length, running()]).toEqual([1, 0])
})

it('leaves the failure of its first start to the caller', async () => {
  const { fail, begin } = world()
  fail(1)
  await expect(begin()).rejects.toThrow('No room.')
})
