/** The table that a command is about, by the name that a person gives it; and what the verbs of `lake` share. */
import { allTables, type Lake, loadTable, sqlName, type Table, type TableName } from '../../../db/lake/index.ts'
import { CommandFailed } from '../../command.ts'

export interface Asked {
  json: boolean
  data: string | undefined
}

export interface AskedTable extends Asked {
  table: string
}

const LISTED = 30

/** `raw.orders`, `"a.b"."Odd name"`, or `orders` alone where only one table is called so. @throws CommandFailed naming the tables there are */
export async function findTable(lake: Lake, text: string): Promise<Table> {
  const tables = await allTables(lake)
  const isIt = (each: TableName) => [`${each.namespace}.${each.name}`, sqlName(each)].includes(text)
  const found = tables.filter(isIt)
  const called = found.length > 0 ? found : tables.filter(({ name }) => name === text)
  const [only, ...others] = called
  if (only && others.length === 0) return loadTable(lake, only)
  if (only)
    throw new CommandFailed(`"${text}" could be any of ${called.map(sqlName).join(', ')}. Write the one that is meant.`)
  const more = tables.length > LISTED ? ` and ${tables.length - LISTED} more` : ''
  const there =
    tables.length === 0
      ? 'the lake has no tables yet'
      : `there ${tables.length === 1 ? 'is' : 'are'} ${tables.slice(0, LISTED).map(sqlName).join(', ')}${more}`
  throw new CommandFailed(`There is no table ${text}: ${there}.`)
}

export const iso = (ms: number): string => new Date(ms).toISOString()
