/**
 * What commands about change data capture have in common: which database is followed, and through which log. With CDC_SOURCE_URL that one; else the demo shop of the platform that
 * runs on the data folder, which lies in its own PostgreSQL as a database of its own.
 */
import type { Config } from '../db/config.ts'
import { connect, type Sql } from '../db/postgres/connect.ts'
import { CannotFollow } from '../streams/sources/cdc/catalog.ts'
import { type CdcSettings, cdcSettings, furtherCdcTopics } from '../streams/sources/cdc/settings.ts'
import { type StoreSettings, storeSettings } from '../streams/stores.ts'
import { CommandFailed } from './command.ts'
import { findPlatform } from './platform.ts'

export const SHOP_DATABASE = 'shop'

/** The shop's database on the server of another. */
export function shopUrl(databaseUrl: string): string {
  const url = new URL(databaseUrl)
  url.pathname = `/${SHOP_DATABASE}`
  return url.href
}

/** Makes the database `shop` on the server of the URL, where it is missing. */
export async function makeShopDatabase(databaseUrl: string): Promise<string> {
  const { sql, close } = connect(databaseUrl, { max: 1, name: 'streamforge-shop' })
  try {
    const found = await sql`SELECT 1 FROM pg_database WHERE datname = ${SHOP_DATABASE}`
    if (found.length === 0) await sql`CREATE DATABASE ${sql(SHOP_DATABASE)}`
  } finally {
    await close()
  }
  return shopUrl(databaseUrl)
}

/** @throws CommandFailed where there is none */
export async function followedDatabase(config: Config): Promise<CdcSettings> {
  if (config.cdcSourceUrl) return cdcSettings(config, config.cdcSourceUrl.reveal())
  const platform = await findPlatform(config.dataDir)
  const embedded = platform?.postgres_url
  if (embedded && new URL(embedded).password !== '') return cdcSettings(config, shopUrl(embedded))
  throw new CommandFailed(
    'No database is named whose changes could be followed. Set CDC_SOURCE_URL, e.g. CDC_SOURCE_URL=postgres://cdc:password@127.0.0.1:5432/shop; or start the platform ' +
      'with its demo shop: npm start -- --cdc',
  )
}

/** The log, which holds the tables' topics. */
export const cdcStores = (config: Config): StoreSettings => ({
  ...storeSettings(config),
  topics: furtherCdcTopics(config.cdcTables),
})

/** Runs `ask` with a connection; what the database refuses is a sentence. @throws CommandFailed */
export async function askDatabase<T>({ url }: CdcSettings, ask: (sql: Sql) => Promise<T>): Promise<T> {
  const database = connect(url, { max: 1, name: 'streamforge-cdc-status', statementTimeoutMs: 15_000 })
  try {
    return await ask(database.sql)
  } catch (error) {
    throw refusal(error)
  } finally {
    await database.close()
  }
}

/** A code of the connection, or one of PostgreSQL's, is no bug of ours. */
export function refusal(error: unknown): unknown {
  if (error instanceof CannotFollow) return new CommandFailed(error.message)
  const { code, message } = error as { code?: unknown; message: string }
  return typeof code === 'string' ? new CommandFailed(`The database that is followed refused: ${message}.`) : error
}
