/** `streamforge token` as a script meets it. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { createTokens } from '../../edge/auth/tokens.ts'
import { runCommand } from '../testing/run-command.ts'
import { token } from './token.ts'

const SECRET = 'the secret of this test, 32 bytes long'
const clock = { now: () => Date.UTC(2026, 0, 31), sleep: async () => undefined }

async function dataFolder(secrets?: object): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'streamforge-token-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  if (secrets) await writeFile(join(folder, 'secrets.json'), JSON.stringify(secrets))
  return folder
}

it("prints a token that the data folder's platform takes, for the role and the time that were asked for", async () => {
  const data = await dataFolder({ jwtSecret: SECRET })
  const { code, out } = await runCommand(token, ['--data', data, '--role', 'operator', '--expires', '90s'], { clock })
  expect(code).toBe(0)
  const at = (ms: number) => createTokens(SECRET, { now: () => clock.now() + ms }).identify(out.trim())
  expect(await at(89_000)).toMatchObject({ username: `cli:${userInfo().username}`, role: 'operator' })
  expect(await at(90_000)).toBeNull()
})

it("is a viewer's unless told, and signed with the environment's secret where that has one", async () => {
  const env = { STREAMFORGE_JWT_SECRET: SECRET }
  const { out } = await runCommand(token, ['--data', await dataFolder()], { clock, env })
  expect(await createTokens(SECRET, clock).identify(out.trim())).toMatchObject({ role: 'viewer' })
})

it('says in a sentence that nothing was started there yet, and makes no secret', async () => {
  const data = await dataFolder()
  const { code, err } = await runCommand(token, ['--data', data])
  expect([code, err]).toEqual([
    1,
    expect.stringMatching(/^There is no secret to sign with in .*npm start.*--data\.\n$/),
  ])
  expect(await runCommand(token, ['--data', data])).toMatchObject({ code: 1 })
})
