/** What of the S3 form needs no server: URLs, XML, the bounds of Google's interface, and settings that become a store. */
import { describe, expect, test } from 'vitest'
import { loadConfig } from '../config.ts'
import { objectsSettings, s3EndpointOf } from './open.ts'
import { elements, escaped, text } from './s3/xml.ts'
import { openS3Objects } from './s3.ts'
import { parseObjectsUrl } from './url.ts'

describe('URLs of object stores', () => {
  test.each([
    ['s3://bucket', { kind: 's3', scheme: 's3', bucket: 'bucket', prefix: '' }],
    ['s3://my.bucket-1/a/b c', { kind: 's3', scheme: 's3', bucket: 'my.bucket-1', prefix: 'a/b c' }],
    ['gs://my_bucket/live', { kind: 's3', scheme: 'gs', bucket: 'my_bucket', prefix: 'live' }],
    ['file:///srv/objects', { kind: 'folder', folder: '/srv/objects' }],
  ])('%s', (url, place) => expect(parseObjectsUrl(url)).toEqual(place))

  test.each([
    's3://',
    's3:///a',
    's3://ab',
    's3://UPPER',
    's3://bucket/a/../b',
    's3://-bucket',
    'file://a',
    'gs://b',
    's3://my_bucket',
    'gcs://bucket',
    '',
  ])('%j is none', (url) => expect(parseObjectsUrl(url)).toBe(null))
})

describe('settings', () => {
  const KEYS = { AWS_ACCESS_KEY_ID: 'AKEXAMPLE', AWS_SECRET_ACCESS_KEY: 'secret' }
  test('nothing said: a folder of the data folder', () => {
    expect(objectsSettings(loadConfig({ STREAMFORGE_DATA_DIR: '/d' }))).toEqual({
      kind: 'folder',
      folder: '/d/objects',
    })
  })

  test('a bucket elsewhere, and one of Amazon', () => {
    const elsewhere = loadConfig({
      STREAMFORGE_OBJECTS_URL: 's3://bucket/live',
      S3_ENDPOINT: 'http://minio:9000',
      ...KEYS,
    })
    expect(objectsSettings(elsewhere)).toEqual({
      kind: 's3',
      scheme: 's3',
      bucket: 'bucket',
      prefix: 'live',
      endpoint: 'http://minio:9000',
      region: 'us-east-1',
      accessKeyId: 'AKEXAMPLE',
      secretAccessKey: 'secret',
    })
    expect(s3EndpointOf(elsewhere)).toBe('http://minio:9000')
    const amazon = loadConfig({
      STREAMFORGE_OBJECTS_URL: 's3://bucket',
      AWS_REGION: 'eu-central-1',
      AWS_SESSION_TOKEN: 'token',
      ...KEYS,
    })
    expect(objectsSettings(amazon)).toMatchObject({ endpoint: null, region: 'eu-central-1', sessionToken: 'token' })
    expect(s3EndpointOf(amazon)).toBe('https://s3.eu-central-1.amazonaws.com')
  })

  test('a bucket of Google: its S3 interface is where nothing else is said', () => {
    const google = loadConfig({ STREAMFORGE_OBJECTS_URL: 'gs://bucket/live', ...KEYS })
    expect(objectsSettings(google)).toMatchObject({
      kind: 's3',
      scheme: 'gs',
      endpoint: 'https://storage.googleapis.com',
      region: 'auto',
    })
    expect(() => loadConfig({ STREAMFORGE_OBJECTS_URL: 'gs://bucket' })).toThrow(
      /gs:\/\/bucket needs AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, an HMAC key of a service account/,
    )
  })
})

test("Google's interface is never asked for what it would silently not do", async () => {
  const store = openS3Objects({
    bucket: 'bucket',
    prefix: '',
    endpoint: 'https://storage.googleapis.com',
    region: 'auto',
    accessKeyId: 'k',
    secretAccessKey: 's',
  })
  await expect(store.putIfAbsent('a/key', Buffer.from('x'))).rejects.toThrow(
    /"a\/key" in the bucket "bucket" could not be stored: Google's S3 interface does not know "only if absent"/,
  )
})

describe("S3's XML", () => {
  const XML = `<?xml version="1.0"?><List xmlns="http://s3"><Key>a&amp;b&lt;&#65;&#x1F600;&quot;&apos;</Key><Contents><Key>1</Key></Contents>
    <Contents><Key>2</Key></Contents><Empty></Empty><KeyCount>2</KeyCount></List>`
  test('texts and lists are found, and entities read', () => {
    expect(text(XML, 'Key')).toBe('a&b<A😀"\'')
    expect(elements(XML, 'Contents').map((contents) => text(contents, 'Key'))).toEqual(['1', '2'])
    expect(text(XML, 'KeyCount')).toBe('2')
    expect(text(XML, 'Empty')).toBe('')
    expect(text(XML, 'Missing')).toBe('')
  })

  test('what is escaped reads back', () => {
    const plain = `<&>"' ü 日本 &amp;`
    expect(text(`<Key>${escaped(plain)}</Key>`, 'Key')).toBe(plain)
  })
})
