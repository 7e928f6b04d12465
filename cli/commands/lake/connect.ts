/** `streamforge lake connect`: settings for other programs, ready to paste. */
import { objectsSettings } from '../../../db/objects/open.ts'
import type { CommandIo } from '../../command.ts'
import { withLake } from '../../lake.ts'
import { propertiesText } from '../../servers/trino.ts'
import { type Connection, connectionTo, REST_PASSWORD } from './connection.ts'
import type { Asked } from './table.ts'

/** Opening the lake makes its catalog's tables, which other programs expect to be there. */
export const connect = ({ json, data }: Asked, io: CommandIo): Promise<number> =>
  withLake({ data }, io, async ({ lake, config, platform, databaseUrl, isOwnDatabase }) => {
    const connection = connectionTo({
      databaseUrl,
      isOwnDatabase,
      warehouse: lake.files.warehouse,
      catalogName: lake.catalog.name,
      edgeUrl: platform?.edge_url ?? null,
      objects: objectsSettings(config),
    })
    io.out(json ? `${JSON.stringify(connection, null, 2)}\n` : forPeople(connection))
    return 0
  })

function forPeople(connection: Connection): string {
  const { pyiceberg, pyiceberg_rest, trino, spark, duckdb, password_variable, s3_region } = connection
  const facts = Object.entries(connection).filter(([, value]) => typeof value === 'string' && !value.includes('\n'))
  const notes = [
    password_variable && `The password of DATABASE_URL is not shown: have it in ${password_variable}.`,
    s3_region !== undefined &&
      'The keys of S3 are not shown: have them in AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.',
    connection.warehouse.startsWith('gs:') &&
      "Files are named gs://: programs read them with Google's credentials where they run (GOOGLE_APPLICATION_CREDENTIALS, or Workload Identity); DuckDB has the HMAC key in AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.",
    pyiceberg_rest &&
      `By REST, ${REST_PASSWORD} is the password of the account admin, and no program needs the database.`,
  ].filter((note) => typeof note === 'string')
  const sections: [string, string][] = [
    [
      'PyIceberg: pip install "pyiceberg[sql-postgres,pyarrow]" pyiceberg-core',
      python(connection.catalog_name, pyiceberg),
    ],
    ...(pyiceberg_rest
      ? [['PyIceberg by REST', python(connection.catalog_name, pyiceberg_rest)] as [string, string]]
      : []),
    [`Trino: etc/catalog/${connection.catalog_name}.properties`, propertiesText(trino)],
    ['Spark 4.0', sparkCommand(spark)],
    ...(duckdb ? [['DuckDB, by REST', duckdb] as [string, string]] : []),
  ]
  const width = Math.max(...facts.map(([name]) => name.length))
  return [
    facts.map(([name, value]) => `${name.padEnd(width)}  ${value}\n`).join(''),
    ...(notes.length > 0 ? [notes.map((note) => `${note}\n`).join('')] : []),
    ...sections.map(([title, text]) => `${title}\n\n${text.trimEnd().replace(/^(?=.)/gm, '    ')}\n`),
  ].join('\n')
}

/** JSON's texts are Python's. */
const python = (name: string, settings: Readonly<Record<string, string>>): string =>
  [
    'from pyiceberg.catalog import load_catalog',
    '',
    `catalog = load_catalog(${JSON.stringify(name)}, **{`,
    ...Object.entries(settings).map(([key, value]) => `    ${JSON.stringify(key)}: ${JSON.stringify(value)},`),
    '})',
  ].join('\n')

/** In double quotes, so that the shell puts in variables that are named. */
const sparkCommand = ({ packages, conf }: Connection['spark']): string =>
  [
    `spark-sql --packages ${packages.join(',')}`,
    ...Object.entries(conf).map(([key, value]) => `--conf ${key}="${value.replace(/["\\`]/g, '\\$&')}"`),
  ].join(' \\\n  ')
