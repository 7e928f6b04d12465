import { setImmediate as turn } from 'node:timers/promises'
import { type Context, ROOT_CONTEXT, TraceFlags, trace } from '@opentelemetry/api'
import { expect, it } from 'vitest'
import { createActiveContext } from './active-context.ts'
import { newSpanIds } from './span-ids.ts'

const spanContext = (): Context =>
  trace.setSpanContext(ROOT_CONTEXT, { ...newSpanIds(), traceFlags: TraceFlags.SAMPLED })

it('a context is active within its work and what that awaits, however others come between', async () => {
  const active = createActiveContext()
  const seen = async (context: Context, turns: number) =>
    active.with(context, async () => {
      for (let i = 0; i < turns; i++) {
        await turn()
        expect(active.active()).toBe(context)
      }
      return active.active() === context
    })
  expect(active.active()).toBe(ROOT_CONTEXT)
  expect(await Promise.all([1, 5, 2, 8].map((turns) => seen(spanContext(), turns)))).toEqual([true, true, true, true])
  expect(active.active()).toBe(ROOT_CONTEXT)
})

it('one within another goes back to the outer one, also after a failure', async () => {
  const active = createActiveContext()
  const [outer, inner] = [spanContext(), spanContext()]
  await active.with(outer, async () => {
    await expect(active.with(inner, () => turn().then(() => Promise.reject(new Error('x'))))).rejects.toThrow('x')
    expect(active.active()).toBe(outer)
    expect(() =>
      active.with(inner, () => {
        throw new Error('y')
      }),
    ).toThrow('y')
    expect(active.active()).toBe(outer)
  })
  expect(active.active()).toBe(ROOT_CONTEXT)
  expect(active.with(inner, () => active.active())).toBe(inner)
})
