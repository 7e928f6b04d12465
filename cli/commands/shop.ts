/** `streamforge shop`: a shop in a database, for trying change data capture: its tables, and people who order. */
import { connect } from '../../db/postgres/connect.ts'
import { createRandom } from '../../streams/sources/random.ts'
import { keepShop } from '../../streams/sources/shop/keep-shop.ts'
import { prepareShop } from '../../streams/sources/shop/tables.ts'
import { followedDatabase, makeShopDatabase, refusal } from '../cdc.ts'
import { defineCommand, parseArguments, UsageError, wholeNumber } from '../command.ts'
import { findPlatform } from '../platform.ts'
import { configAt } from '../settings.ts'

export const shop = defineCommand({
  name: 'shop',
  usage: `streamforge shop [options]

Makes the tables of a shop (products, orders, order_items) and writes to them, until Ctrl-C: orders that are placed, paid and shipped, prices that move, shelves that are filled.
In the database that CDC_SOURCE_URL names, else in the database "shop" of the platform on the data folder. Tables that are there are not changed.

  --rate N          transactions per second, on average (default 5)
  --data DIR        data folder of the running platform (default: STREAMFORGE_DATA_DIR, else ./data)`,
  async run(args, io) {
    const { values, positionals } = parseArguments(args, {
      rate: { type: 'string', default: '5' },
      data: { type: 'string' },
    })
    if (positionals.length > 0) throw new UsageError(`shop takes options only, not "${positionals[0]}".`)
    const rate = wholeNumber('--rate', values.rate, 1, 10_000)
    const config = configAt(values, io)
    const { url } = await followedDatabase(config)
    const { currency } = config
    const { clock, signal } = io
    const database = connect(url, { max: 1, name: 'streamforge-shop' })
    try {
      const embedded = (await findPlatform(config.dataDir))?.postgres_url
      if (!config.cdcSourceUrl && embedded) await makeShopDatabase(embedded)
      await prepareShop(database.sql, currency)
      io.err(`The shop is open, with ${rate} transactions/s. Ctrl-C closes it.\n`)
      const random = createRandom(clock.now())
      const onError = (error: Error): void => io.err(`${error.message}\n`)
      const made = await keepShop({ sql: database.sql, clock, random, rate, currency, signal, onError })
      io.out(`${made.toLocaleString('en')} transactions\n`)
      return 0
    } catch (error) {
      throw refusal(error)
    } finally {
      await database.close()
    }
  },
})
