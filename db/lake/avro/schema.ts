/** Avro's schemas, as Iceberg's files carry them. */

/** An Avro schema as JSON, with the keys that Iceberg adds to it (`field-id`, `element-id` …). */
export type AvroSchema = string | AvroSchema[] | { readonly type: AvroSchema; readonly [key: string]: unknown }
