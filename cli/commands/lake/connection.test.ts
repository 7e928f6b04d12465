/** Settings for other programs: what is told, and what never is. That they work is shown by real ones (tests/lake-connect.system.test.ts, db/lake/trino.system.test.ts). */
import { expect, test } from 'vitest'
import { connectionTo, type Place } from './connection.ts'

const embedded: Place = {
  databaseUrl: 'postgres://streamforge:p%40ss@127.0.0.1:5555/streamforge',
  isOwnDatabase: true,
  warehouse: 'file:///srv/objects/warehouse',
  catalogName: 'lake',
  edgeUrl: 'http://127.0.0.1:8080',
  objects: { kind: 'folder', folder: '/srv/objects' },
}

test("the platform's own database is told with its password, escaped as each program wants it", () => {
  const { trino, spark, ...told } = connectionTo(embedded)
  expect(told).toMatchObject({
    postgres_url: 'postgres://streamforge:p%40ss@127.0.0.1:5555/streamforge',
    jdbc_url: 'jdbc:postgresql://127.0.0.1:5555/streamforge?user=streamforge&password=p%40ss',
    warehouse: 'file:///srv/objects/warehouse',
    catalog_name: 'lake',
    rest_uri: 'http://127.0.0.1:8080/iceberg',
    pyiceberg: { type: 'sql', uri: 'postgresql+psycopg2://streamforge:p%40ss@127.0.0.1:5555/streamforge' },
  })
  expect(told).not.toHaveProperty('s3_region')
  expect(trino).toMatchObject({ 'iceberg.jdbc-catalog.connection-password': 'p@ss', 'fs.native-local.enabled': true })
  expect(spark.conf['spark.sql.catalog.lake.jdbc.password']).toBe('p@ss')
})

test("the user's own secrets are named by their variables, and never told", () => {
  const connection = connectionTo({
    ...embedded,
    databaseUrl: 'postgresql://app:geheim@db.example/lake?sslmode=require',
    isOwnDatabase: false,
    warehouse: 's3://events/live/warehouse',
    edgeUrl: null,
    objects: {
      kind: 's3',
      bucket: 'events',
      prefix: 'live',
      endpoint: 'http://minio.example:9000',
      region: 'auto',
      accessKeyId: 'KEY-ID',
      secretAccessKey: 'S3-SECRET',
    },
  })
  expect(JSON.stringify(connection)).not.toMatch(/geheim|KEY-ID|S3-SECRET/)
  expect(connection).toMatchObject({
    postgres_url: 'postgresql://app@db.example/lake?sslmode=require',
    jdbc_url: 'jdbc:postgresql://db.example:5432/lake?sslmode=require&user=app',
    password_variable: 'PGPASSWORD',
    rest_uri: null,
    pyiceberg_rest: null,
    duckdb: null,
    s3_endpoint: 'http://minio.example:9000',
    s3_region: 'auto',
  })
  expect(connection.trino).toMatchObject({
    'iceberg.jdbc-catalog.connection-url': 'jdbc:postgresql://db.example:5432/lake?sslmode=require',
    'iceberg.jdbc-catalog.connection-password': '$' + '{ENV:PGPASSWORD}',
    's3.aws-secret-key': '$' + '{ENV:AWS_SECRET_ACCESS_KEY}',
    's3.endpoint': 'http://minio.example:9000',
  })
  expect(connection.trino).not.toHaveProperty('local.location')
  expect(connection.spark.packages.join()).toContain('iceberg-aws-bundle')
})

test('Amazon has no endpoint of its own, and DuckDB gets the edge and S3', () => {
  const { duckdb, pyiceberg } = connectionTo({
    ...embedded,
    objects: {
      kind: 's3',
      bucket: 'b',
      prefix: '',
      endpoint: null,
      region: 'eu-central-1',
      accessKeyId: 'a',
      secretAccessKey: 'b',
    },
  })
  expect(pyiceberg).toEqual(expect.objectContaining({ 's3.region': 'eu-central-1' }))
  expect(pyiceberg).not.toHaveProperty('s3.endpoint')
  expect(duckdb).toContain("OAUTH2_SERVER_URI 'http://127.0.0.1:8080/iceberg/v1/oauth/tokens'")
  expect(duckdb).toContain("REGION 'eu-central-1');")
})

test("a bucket of Google is read by each program's own way to it, and no S3 is told", () => {
  const { pyiceberg, trino, spark, duckdb, ...told } = connectionTo({
    ...embedded,
    warehouse: 'gs://b/live/warehouse',
    objects: {
      kind: 's3',
      scheme: 'gs',
      bucket: 'b',
      prefix: 'live',
      endpoint: 'https://storage.googleapis.com',
      region: 'auto',
      accessKeyId: 'GOOG1EKEY',
      secretAccessKey: 'HMAC-SECRET',
    },
  })
  expect(JSON.stringify([pyiceberg, trino, spark, duckdb, told])).not.toMatch(
    /GOOG1EKEY|HMAC-SECRET|storage.googleapis|"s3/,
  )
  expect(pyiceberg).toMatchObject({ warehouse: 'gs://b/live/warehouse' })
  expect(trino).toMatchObject({ 'fs.native-gcs.enabled': true })
  expect(trino).not.toHaveProperty('local.location')
  expect(spark.packages.join()).toContain('iceberg-gcp-bundle')
  expect(spark.conf['spark.sql.catalog.lake.io-impl']).toBe('org.apache.iceberg.gcp.gcs.GCSFileIO')
  expect(duckdb).toContain("CREATE SECRET objects (TYPE gcs, KEY_ID getenv('AWS_ACCESS_KEY_ID')")
})
