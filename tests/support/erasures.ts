/** Erasures of persons as an admin asks for them by HTTP. */
import { expect } from 'vitest'
import { as } from './access.ts'
import { type Answer, get } from './api.ts'
import { eventually } from './eventually.ts'

/** @returns its id */
export async function askForErasure(url: string, userId: string): Promise<string> {
  const asked = await fetch(`${url}/api/v1/privacy/erasures`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(await as('admin')) },
    body: JSON.stringify({ user_id: userId }),
  })
  expect(asked.status).toBe(202)
  return ((await asked.json()) as Answer).data.id
}

export const erasureOf = async (url: string, id: string): Promise<Answer> =>
  (await get(url, `/privacy/erasures/${id}`, {}, 'admin')).data

/** Resolves with the erasure when it has done the step. */
export const stepDone = (url: string, id: string, step: string, timeoutMs: number): Promise<Answer> =>
  eventually(`the erasure has done "${step}"`, timeoutMs, async () => {
    const now = await erasureOf(url, id)
    return now.steps.some((done: Answer) => done.step === step) && now
  })

/** Resolves with the certificate. */
export const erasureComplete = (url: string, id: string, timeoutMs: number): Promise<Answer> =>
  eventually('the erasure is complete', timeoutMs, async () => {
    const now = await erasureOf(url, id)
    expect(now.failure).toBeNull()
    return now.state === 'complete' && now
  })
