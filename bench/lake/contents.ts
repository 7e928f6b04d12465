/** What a table holds, in a few figures that do not depend on the order of rows: engines and forms of it are held to one another by them. */
import { DuckDBInstance } from '@duckdb/node-api'
import { type Columns, type Lake, loadTable, planScan, relationOf, tableName } from '../../db/lake/index.ts'
import { withFolder } from '../stores.ts'

export interface Contents {
  rows: number
  revenueMinor: number
  quantity: number
  /** Of all columns of all rows; null where it was not read. */
  fingerprint: bigint | null
}

/** @param path `namespace.table` */
export async function contentsOf(lake: Lake, path: string): Promise<Contents> {
  const { metadata } = await loadTable(lake, tableName(path))
  const plan = await planScan(lake, metadata)
  return withFolder(async (folder) => {
    const relation = await relationOf(lake, plan, plan.schema.fields, folder)
    const instance = await DuckDBInstance.create(':memory:', { memory_limit: '1GB', temp_directory: folder })
    const connection = await instance.connect()
    try {
      const names = plan.schema.fields.map(({ name }) => name).join(', ')
      const result = await connection.runAndReadAll(
        `SELECT count(*)::DOUBLE, sum(revenue_minor)::DOUBLE, sum(quantity)::DOUBLE, bit_xor(hash(${names})) FROM (${relation})`,
      )
      const [rows, revenueMinor, quantity, fingerprint] = result.getRowsJS()[0] as [number, number, number, bigint]
      return { rows, revenueMinor, quantity, fingerprint }
    } finally {
      connection.closeSync()
      instance.closeSync()
    }
  })
}

export function contentsOfColumns(batches: Iterable<Columns>): Contents {
  const contents = { rows: 0, revenueMinor: 0, quantity: 0, fingerprint: null }
  for (const { quantity, revenue_minor: revenue } of batches) {
    contents.rows += quantity!.length
    for (let i = 0; i < quantity!.length; i++) {
      contents.quantity += Number(quantity![i])
      contents.revenueMinor += Number(revenue![i] ?? 0)
    }
  }
  return contents
}

/** @throws Error naming what differs */
export function assertSame(what: string, found: Contents, wanted: Contents): void {
  for (const key of ['rows', 'revenueMinor', 'quantity', 'fingerprint'] as const)
    if (wanted[key] !== null && found[key] !== wanted[key])
      throw new Error(`${what}: ${key} is ${found[key]}, not ${wanted[key]}.`)
}
