/**
 * What other programs need to read and write the lake's tables: PyIceberg, Trino and Spark by the catalog in PostgreSQL, PyIceberg and DuckDB also by the edge's REST catalog. Pure.
 *
 * Invariant: the password of the platform's own database is told, since nothing connects without it and the database listens on this machine only. The user's own secrets (DATABASE_URL's
 * password, the keys of S3, the admin's password) are not: the environment variable that has them is named where the program can read it.
 */
import type { ObjectsSettings } from '../../../db/objects/open.ts'
import { type CatalogProperties, icebergCatalog } from '../../servers/trino.ts'

export interface Place {
  databaseUrl: string
  /** The platform's own, whose password is told. */
  isOwnDatabase: boolean
  /** `file:///…` or `s3://bucket/prefix` */
  warehouse: string
  catalogName: string
  /** null: no edge is known. */
  edgeUrl: string | null
  objects: ObjectsSettings
}

export interface Connection {
  postgres_url: string
  jdbc_url: string
  warehouse: string
  catalog_name: string
  rest_uri: string | null
  s3_endpoint?: string | null
  s3_region?: string
  /** The variable that must have the database's password, where that is not told. */
  password_variable?: string
  /** Properties of a catalog of the type `sql`. */
  pyiceberg: Record<string, string>
  /** Of the type `rest`; its credential lacks the password. */
  pyiceberg_rest: Record<string, string> | null
  /** The lines of `etc/catalog/lake.properties`. */
  trino: CatalogProperties
  spark: { packages: string[]; conf: Record<string, string> }
  duckdb: string | null
}

const PASSWORD_VARIABLE = 'PGPASSWORD'
export const REST_PASSWORD = 'PASSWORD'

export function connectionTo(place: Place): Connection {
  const { isOwnDatabase, warehouse, catalogName, edgeUrl, objects } = place
  const url = new URL(place.databaseUrl)
  if (!isOwnDatabase) url.password = ''
  const [user, password] = [decodeURIComponent(url.username), decodeURIComponent(url.password)]
  const address = `${url.hostname}:${url.port || 5432}${url.pathname}`
  const jdbc = new URLSearchParams(url.search)
  const bareJdbcUrl = `jdbc:postgresql://${address}${jdbc.size > 0 ? `?${jdbc}` : ''}`
  jdbc.set('user', user)
  if (isOwnDatabase) jdbc.set('password', password)
  const s3 = objects.kind === 's3' ? { endpoint: objects.endpoint, region: objects.region } : null
  const rest_uri = edgeUrl === null ? null : `${edgeUrl}/iceberg`
  return {
    postgres_url: url.href,
    jdbc_url: `jdbc:postgresql://${address}?${jdbc}`,
    warehouse,
    catalog_name: catalogName,
    rest_uri,
    ...(s3 && { s3_endpoint: s3.endpoint, s3_region: s3.region }),
    ...(!isOwnDatabase && { password_variable: PASSWORD_VARIABLE }),
    pyiceberg: {
      type: 'sql',
      // libpq takes a password that is missing from PGPASSWORD.
      uri: url.href.replace(/^postgres(ql)?:/, 'postgresql+psycopg2:'),
      warehouse,
      ...(s3 && pythonS3(s3)),
    },
    pyiceberg_rest:
      rest_uri === null
        ? null
        : {
            type: 'rest',
            uri: rest_uri,
            credential: `admin:${REST_PASSWORD}`,
            ...(s3 && pythonS3(s3)),
          },
    trino: trinoCatalog(place, bareJdbcUrl),
    spark: spark(catalogName, { jdbcUrl: bareJdbcUrl, user, password: isOwnDatabase ? password : null, warehouse, s3 }),
    duckdb: rest_uri === null ? null : duckdb(catalogName, rest_uri, s3),
  }
}

type S3 = { endpoint: string | null; region: string }

/** Its keys come from AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY. */
const pythonS3 = ({ endpoint, region }: S3): Record<string, string> => ({
  ...(endpoint !== null && { 's3.endpoint': endpoint, 's3.force-virtual-addressing': 'false' }),
  's3.region': region,
})

function trinoCatalog({ databaseUrl, isOwnDatabase, catalogName, warehouse, objects }: Place, jdbcUrl: string) {
  const properties = icebergCatalog({
    postgresUrl: databaseUrl,
    catalogName,
    warehouse,
    ...(objects.kind === 's3' && {
      s3: {
        endpoint: objects.endpoint,
        region: objects.region,
        // biome-ignore lint/suspicious/noTemplateCurlyInString: Trino's way to name a variable of its environment
        accessKeyId: '${ENV:AWS_ACCESS_KEY_ID}',
        // biome-ignore lint/suspicious/noTemplateCurlyInString: as above
        secretAccessKey: '${ENV:AWS_SECRET_ACCESS_KEY}',
      },
    }),
    properties: {
      'iceberg.jdbc-catalog.connection-url': jdbcUrl,
      ...(!isOwnDatabase && { 'iceberg.jdbc-catalog.connection-password': `\${ENV:${PASSWORD_VARIABLE}}` }),
    },
  })
  // Files of this machine are none of its business where there are none.
  const { 'fs.native-local.enabled': _, 'local.location': __, ...others } = properties
  return objects.kind === 's3' ? others : properties
}

const ICEBERG_VERSION = '1.10.1'

function spark(
  catalogName: string,
  {
    jdbcUrl,
    user,
    password,
    warehouse,
    s3,
  }: { jdbcUrl: string; user: string; password: string | null; warehouse: string; s3: S3 | null },
): Connection['spark'] {
  const settings = {
    '': 'org.apache.iceberg.spark.SparkCatalog',
    '.type': 'jdbc',
    '.uri': jdbcUrl,
    '.jdbc.user': user,
    '.jdbc.password': password ?? `$${PASSWORD_VARIABLE}`,
    '.jdbc.schema-version': 'V1',
    '.warehouse': warehouse,
    ...(s3 && {
      '.io-impl': 'org.apache.iceberg.aws.s3.S3FileIO',
      ...(s3.endpoint !== null && { '.s3.endpoint': s3.endpoint, '.s3.path-style-access': 'true' }),
      '.client.region': s3.region,
    }),
  }
  return {
    packages: [
      `org.apache.iceberg:iceberg-spark-runtime-4.0_2.13:${ICEBERG_VERSION}`,
      'org.postgresql:postgresql:42.7.7',
      ...(s3 ? [`org.apache.iceberg:iceberg-aws-bundle:${ICEBERG_VERSION}`] : []),
    ],
    conf: {
      'spark.sql.extensions': 'org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions',
      ...Object.fromEntries(
        Object.entries(settings).map(([key, value]) => [`spark.sql.catalog.${catalogName}${key}`, value]),
      ),
    },
  }
}

/** By REST alone: DuckDB has no JDBC catalog. Source: https://duckdb.org/docs/stable/core_extensions/iceberg/iceberg_rest_catalogs */
function duckdb(catalogName: string, restUri: string, s3: S3 | null): string {
  const text = (value: string): string => `'${value.replaceAll("'", "''")}'`
  const endpoint = s3?.endpoint ? new URL(s3.endpoint) : null
  return [
    'INSTALL iceberg; LOAD iceberg; INSTALL httpfs; LOAD httpfs;',
    `CREATE SECRET streamforge (TYPE iceberg, CLIENT_ID 'admin', CLIENT_SECRET '${REST_PASSWORD}', OAUTH2_SERVER_URI ${text(`${restUri}/v1/oauth/tokens`)});`,
    ...(s3
      ? [
          `CREATE SECRET objects (TYPE s3, KEY_ID getenv('AWS_ACCESS_KEY_ID'), SECRET getenv('AWS_SECRET_ACCESS_KEY'), REGION ${text(s3.region)}${
            endpoint
              ? `, ENDPOINT ${text(endpoint.host)}, URL_STYLE 'path', USE_SSL ${endpoint.protocol === 'https:'}`
              : ''
          });`,
        ]
      : []),
    `ATTACH ${text(catalogName)} AS ${catalogName} (TYPE iceberg, SECRET streamforge, ENDPOINT ${text(restUri)});`,
    'SHOW ALL TABLES;',
  ].join('\n')
}
