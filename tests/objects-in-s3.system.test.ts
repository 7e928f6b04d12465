/**
 * The platform with its checkpoints in a real S3: killed under load while the S3 server is away and comes back, it goes on from what S3 holds, and is right. Nothing of its objects
 * lies in the data folder.
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { withS3 } from '../cli/servers/testing/with-s3.ts'
import { openS3Objects, type S3Options } from '../db/objects/s3.ts'
import { eventually } from './support/eventually.ts'
import { caughtUp, emptyLedger, expectLedger, runClient } from './support/ledger.ts'
import { newDataDir, runCli, startPlatform } from './support/platform.ts'

const s3 = withS3()

const environment = ({ bucket, prefix, endpoint, region, accessKeyId, secretAccessKey }: S3Options) => ({
  STREAMFORGE_OBJECTS_URL: `s3://${bucket}/${prefix}`,
  S3_ENDPOINT: endpoint!,
  AWS_REGION: region,
  AWS_ACCESS_KEY_ID: accessKeyId,
  AWS_SECRET_ACCESS_KEY: secretAccessKey,
})

test('killed, with S3 away for a while, nothing is lost or doubled', { timeout: 180_000 }, async () => {
  const target = s3.target()
  const env = environment(target)
  const objects = openS3Objects(target)
  const dataDir = await newDataDir()
  let platform = await startPlatform({ dataDir, env })
  const ledger = emptyLedger()
  const ending = new AbortController()
  const client = runClient(0, () => platform, ledger, ending.signal)

  await eventually('checkpoints are in S3', 60_000, async () => (await objects.list('checkpoints/')).length > 0)
  expect(existsSync(join(dataDir, 'objects'))).toBe(false)
  const { out } = await runCli(['status', '--json', '--data', dataDir], { env })
  expect(JSON.parse(out)).toMatchObject({ running: true, s3_endpoint: target.endpoint })
  expect(out).not.toContain(target.secretAccessKey)

  // Where the objects are, a platform that runs tells by itself; the keys it does not.
  const lake = (args: string[], env: Record<string, string>) => runCli(['lake', ...args, '--data', dataDir], { env })
  const { STREAMFORGE_OBJECTS_URL: _, S3_ENDPOINT: __, ...keys } = env
  expect(await lake(['ls', '--json'], keys)).toMatchObject({ code: 0, err: '' })
  expect((await lake(['ls'], {})).err).toMatch(/needs AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY/)
  const settings = await lake(['connect'], keys)
  expect(settings.out).toContain(`s3_endpoint   ${target.endpoint}\n`)
  expect(settings.out).not.toContain(target.secretAccessKey)

  await s3.kill()
  const goal = ledger.batches + 20
  await eventually('the edge goes on without S3', 60_000, () => ledger.batches >= goal)
  await platform.kill9()
  await s3.start()
  platform = await startPlatform({ dataDir, env })
  const last = ledger.batches + 20
  await eventually('the edge goes on', 60_000, () => ledger.batches >= last)
  ending.abort()
  await client

  await caughtUp(platform)
  await expectLedger(platform, ledger)
  expect(await platform.stop()).toBe(0)
})
