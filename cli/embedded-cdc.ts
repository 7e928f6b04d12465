/**
 * Change data capture in the embedded platform: the source in a thread of its own, and where no database is named, a demo shop in the platform's PostgreSQL with people who order.
 * Invariant: a failure of it is no failure of the platform: the thread is started again, and the shop waits for its database.
 */
import type { Config } from '../db/config.ts'
import { connect } from '../db/postgres/connect.ts'
import type { Logger } from '../observability/log.ts'
import { cdcSettings } from '../streams/sources/cdc/settings.ts'
import { createRandom } from '../streams/sources/random.ts'
import { keepShop } from '../streams/sources/shop/keep-shop.ts'
import { prepareShop } from '../streams/sources/shop/tables.ts'
import { type SupervisedThread, superviseThread } from '../streams/streams-thread.ts'
import type { Clock } from '../streams/time/clock.ts'
import { cdcStores, makeShopDatabase } from './cdc.ts'
import { CommandFailed } from './command.ts'
import { version } from './version.ts'

/** Transactions per second of the demo shop, where the simulator sends this many times as many events. */
const SHOP_SHARE = 0.1

/** @param embeddedUrl of the platform's own PostgreSQL; null where it has none */
export async function startEmbeddedCdc(
  config: Config,
  embeddedUrl: string | null,
  deps: { logger: Logger; clock: Clock },
): Promise<SupervisedThread> {
  const { url, close } = config.cdcSourceUrl
    ? { url: config.cdcSourceUrl.reveal(), close: async () => {} }
    : await openShop(config, embeddedUrl, deps)
  const entry = new URL('../streams/sources/cdc/thread.ts', import.meta.url)
  const options = {
    stores: cdcStores(config),
    settings: cdcSettings(config, url),
    version: version(),
    logLevel: config.logLevel,
  }
  const thread = await superviseThread({ entry, name: 'cdc' }, options, deps)
  return {
    text: () => thread.text(),
    get failure() {
      return thread.failure
    },
    async stop() {
      await close()
      await thread.stop()
    },
  }
}

/** Its tables are made before anybody follows them. */
async function openShop(
  { rate, currency }: Config,
  embeddedUrl: string | null,
  { logger, clock }: { logger: Logger; clock: Clock },
): Promise<{ url: string; close(): Promise<void> }> {
  if (embeddedUrl === null) {
    throw new CommandFailed(
      'The demo shop is kept in the embedded PostgreSQL, which does not run where DATABASE_URL is set. Name the database to follow by CDC_SOURCE_URL.',
    )
  }
  const url = await makeShopDatabase(embeddedUrl)
  const database = connect(url, { max: 1, name: 'streamforge-shop' })
  await prepareShop(database.sql, currency)
  const closing = new AbortController()
  const kept =
    rate === 0
      ? Promise.resolve(0)
      : keepShop({
          sql: database.sql,
          clock,
          random: createRandom(clock.now()),
          rate: rate * SHOP_SHARE,
          currency,
          signal: closing.signal,
          onError: (err) => logger.warn({ err }, 'The demo shop could not write to its database'),
        })
  return {
    url,
    async close() {
      closing.abort()
      await kept
      await database.close()
    },
  }
}
