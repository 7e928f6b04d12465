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
  /** `file:///…`, `s3://bucket/prefix` or `gs://bucket/prefix` */
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
  const bucket = bucketOf(objects)
  const rest_uri = edgeUrl === null ? null : `${edgeUrl}/iceberg`
  return {
    postgres_url: url.href,
    jdbc_url: `jdbc:postgresql://${address}?${jdbc}`,
    warehouse,
    catalog_name: catalogName,
    rest_uri,
    ...(bucket?.scheme === 's3' && { s3_endpoint: bucket.endpoint, s3_region: bucket.region }),
    ...(!isOwnDatabase && { password_variable: PASSWORD_VARIABLE }),
    pyiceberg: {
      type: 'sql',
      // libpq takes a password that is missing from PGPASSWORD.
      uri: url.href.replace(/^postgres(ql)?:/, 'postgresql+psycopg2:'),
      warehouse,
      ...(bucket && python(bucket)),
    },
    pyiceberg_rest:
      rest_uri === null
        ? null
        : {
            type: 'rest',
            uri: rest_uri,
            credential: `admin:${REST_PASSWORD}`,
            ...(bucket && python(bucket)),
          },
    trino: trinoCatalog(place, bareJdbcUrl),
    spark: spark(catalogName, {
      jdbcUrl: bareJdbcUrl,
      user,
      password: isOwnDatabase ? password : null,
      warehouse,
      bucket,
    }),
    duckdb: rest_uri === null ? null : duckdb(catalogName, rest_uri, bucket),
  }
}

type Bucket = { scheme: 's3'; endpoint: string | null; region: string } | { scheme: 'gs' }

function bucketOf(objects: ObjectsSettings): Bucket | null {
  if (objects.kind === 'folder') return null
  const { scheme = 's3', endpoint, region } = objects
  return scheme === 'gs' ? { scheme } : { scheme, endpoint, region }
}

/** The keys of S3 come from AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY. Files named gs:// are read by Google's own interface, with the credentials that its libraries find by themselves. */
const python = (bucket: Bucket): Record<string, string> =>
  bucket.scheme === 'gs'
    ? {}
    : {
        ...(bucket.endpoint !== null && { 's3.endpoint': bucket.endpoint, 's3.force-virtual-addressing': 'false' }),
        's3.region': bucket.region,
      }

function trinoCatalog({ databaseUrl, isOwnDatabase, catalogName, warehouse, objects }: Place, jdbcUrl: string) {
  const bucket = bucketOf(objects)
  const properties = icebergCatalog({
    postgresUrl: databaseUrl,
    catalogName,
    warehouse,
    ...(bucket?.scheme === 's3' && {
      s3: {
        endpoint: bucket.endpoint,
        region: bucket.region,
        // biome-ignore lint/suspicious/noTemplateCurlyInString: Trino's way to name a variable of its environment
        accessKeyId: '${ENV:AWS_ACCESS_KEY_ID}',
        // biome-ignore lint/suspicious/noTemplateCurlyInString: as above
        secretAccessKey: '${ENV:AWS_SECRET_ACCESS_KEY}',
      },
    }),
    properties: {
      ...(bucket?.scheme === 'gs' && { 'fs.native-gcs.enabled': true }),
      'iceberg.jdbc-catalog.connection-url': jdbcUrl,
      ...(!isOwnDatabase && { 'iceberg.jdbc-catalog.connection-password': `\${ENV:${PASSWORD_VARIABLE}}` }),
    },
  })
  // Files of this machine are none of its business where there are none.
  const { 'fs.native-local.enabled': _, 'local.location': __, ...others } = properties
  return bucket ? others : properties
}

const ICEBERG_VERSION = '1.10.1'

function spark(
  catalogName: string,
  {
    jdbcUrl,
    user,
    password,
    warehouse,
    bucket,
  }: { jdbcUrl: string; user: string; password: string | null; warehouse: string; bucket: Bucket | null },
): Connection['spark'] {
  const settings = {
    '': 'org.apache.iceberg.spark.SparkCatalog',
    '.type': 'jdbc',
    '.uri': jdbcUrl,
    '.jdbc.user': user,
    '.jdbc.password': password ?? `$${PASSWORD_VARIABLE}`,
    '.jdbc.schema-version': 'V1',
    '.warehouse': warehouse,
    ...(bucket?.scheme === 's3' && {
      '.io-impl': 'org.apache.iceberg.aws.s3.S3FileIO',
      ...(bucket.endpoint !== null && { '.s3.endpoint': bucket.endpoint, '.s3.path-style-access': 'true' }),
      '.client.region': bucket.region,
    }),
    ...(bucket?.scheme === 'gs' && { '.io-impl': 'org.apache.iceberg.gcp.gcs.GCSFileIO' }),
  }
  return {
    packages: [
      `org.apache.iceberg:iceberg-spark-runtime-4.0_2.13:${ICEBERG_VERSION}`,
      'org.postgresql:postgresql:42.7.7',
      ...(bucket
        ? [`org.apache.iceberg:iceberg-${bucket.scheme === 'gs' ? 'gcp' : 'aws'}-bundle:${ICEBERG_VERSION}`]
        : []),
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
function duckdb(catalogName: string, restUri: string, bucket: Bucket | null): string {
  return [
    'INSTALL iceberg; LOAD iceberg; INSTALL httpfs; LOAD httpfs;',
    `CREATE SECRET streamforge (TYPE iceberg, CLIENT_ID 'admin', CLIENT_SECRET '${REST_PASSWORD}', OAUTH2_SERVER_URI ${sqlText(`${restUri}/v1/oauth/tokens`)});`,
    ...(bucket ? [duckdbSecret(bucket)] : []),
    `ATTACH ${sqlText(catalogName)} AS ${catalogName} (TYPE iceberg, SECRET streamforge, ENDPOINT ${sqlText(restUri)});`,
    'SHOW ALL TABLES;',
  ].join('\n')
}

/** DuckDB reads gs:// by Google's S3 interface, with the HMAC key. Source: https://duckdb.org/docs/stable/guides/network_cloud_storage/gcs_import */
function duckdbSecret(bucket: Bucket): string {
  const keys = "KEY_ID getenv('AWS_ACCESS_KEY_ID'), SECRET getenv('AWS_SECRET_ACCESS_KEY')"
  if (bucket.scheme === 'gs') return `CREATE SECRET objects (TYPE gcs, ${keys});`
  const endpoint = bucket.endpoint === null ? null : new URL(bucket.endpoint)
  const place = endpoint
    ? `, ENDPOINT ${sqlText(endpoint.host)}, URL_STYLE 'path', USE_SSL ${endpoint.protocol === 'https:'}`
    : ''
  return `CREATE SECRET objects (TYPE s3, ${keys}, REGION ${sqlText(bucket.region)}${place});`
}

const sqlText = (value: string): string => `'${value.replaceAll("'", "''")}'`
