/** How the doctor deals with checks that fail, hang, warn, or stand behind one that failed; and what it prints of them. */
import { expect, it } from 'vitest'
import { VirtualClock } from '../../streams/testing/virtual-clock.ts'
import { Broken, type Check, type Family, ok, type Result, unseen, unseenFamily, warning } from './check.ts'
import { examine } from './examine.ts'
import { resultText, summaryText } from './report.ts'

const check = (name: string, run: Check['run'], more: Partial<Check> = {}): Check => ({
  name,
  matters: `why ${name} matters`,
  remedy: `what to do about ${name}`,
  run,
  ...more,
})
const hang = () => new Promise<never>(() => {})

async function examined(families: Family[], timeoutMs = 5_000): Promise<Result[]> {
  const clock = new VirtualClock(0)
  let results: Result[] | null = null
  const done = examine(families, { clock, timeoutMs }).then((all) => {
    results = all
  })
  while (results === null) await clock.advance(500)
  await done
  return results
}
const brief = (results: Result[]) => results.map(({ part, name, status }) => `${part} ${name} ${status}`)

it('tells what is broken, why that matters and what to do, and goes on', async () => {
  const results = await examined([
    {
      part: 'redis',
      checks: [
        check('policy', () => Promise.reject(new Broken('It is allkeys-lru.'))),
        check('version', () => Promise.reject(new Broken('It is 5.', 'Use 7.'))),
        check('memory', async () => warning('Nearly full.')),
        check('marker', async () => ok('there')),
      ],
    },
    unseenFamily('kafka', 'the log is the embedded one'),
  ])
  expect(brief(results)).toEqual([
    'redis policy failed',
    'redis version failed',
    'redis memory warning',
    'redis marker ok',
    'kafka  unseen',
  ])
  expect(results.map(({ problem, remedy }) => [problem, remedy])).toEqual([
    ['It is allkeys-lru.', 'what to do about policy'],
    ['It is 5.', 'Use 7.'],
    ['Nearly full.', 'what to do about memory'],
    [undefined, undefined],
    [undefined, undefined],
  ])
  expect(results.map(resultText).join('')).toMatch(
    /^✗ redis +policy\n +what +It is allkeys-lru\.\n +matters why policy matters\n +do +what to do about policy\n/,
  )
  expect(summaryText(results)).toBe('2 broken, 1 warning. 1 thing could not be seen from here.\n')
  expect(summaryText(results.slice(3, 4))).toBe('Every part that was seen works.\n')
})

it('does not try what stands behind a closed gate', async () => {
  let tried = 0
  const results = await examined([
    {
      part: 'postgres',
      checks: [
        check('answers', () => Promise.reject(new Error('refused')), { gate: true }),
        check('migrations', async () => ok(String(tried++))),
      ],
    },
  ])
  expect([brief(results), results[1]?.seen, tried]).toEqual([
    ['postgres answers failed', 'postgres migrations unseen'],
    'needs "answers"',
    0,
  ])
})

it('ends by its deadline whatever hangs, also where closing does, and closes what it opened', async () => {
  const closed: string[] = []
  const results = await examined([
    { part: 'kafka', checks: [check('answers', hang), check('topics', hang)], close: () => closed.push('kafka') },
    { part: 'lake', checks: [check('tables', async () => unseen('none yet'))], close: hang },
  ])
  expect(brief(results)).toEqual(['kafka answers failed', 'kafka topics failed', 'lake tables unseen'])
  expect(results[0]).toMatchObject({ problem: 'No answer within 5 s.', ms: 5_000 })
  expect(closed).toEqual(['kafka'])
})
