/** Ten times the load that the edge sustains, for ten seconds, through Kafka: see support/burst.ts for what is asked of it. `npm run chaos -- burst` is the long form. */
import { expect, it } from 'vitest'
import { runBurst } from './support/burst.ts'
import { withCluster } from './support/cluster.ts'

const cluster = withCluster()

it('a burst is answered by 202, or by 429 and 503 with Retry-After, within bounded memory, and is over when it is over', {
  timeout: 240_000,
}, async () => {
  const { env } = await cluster.platform()
  const { problems, lines } = await runBurst(env, 10)
  expect(problems, lines.join('\n')).toEqual([])
})
