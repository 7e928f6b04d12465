/** Real servers without Docker, for the tests and for the cluster form on one machine: found on the PATH, fetched or built once, kept in the cache. */
export { ServerUnavailable } from './cache.ts'
export { type JaegerOptions, type JaegerServer, startJaeger } from './jaeger.ts'
export { type KafkaOptions, type KafkaServer, kafkaJars, kafkaTool, startKafka } from './kafka.ts'
export type { Exit, ServerProcess } from './process.ts'
export { type RedisOptions, type RedisServer, startRedis } from './redis.ts'
export type { ToolResult } from './run.ts'
export { startTemporal, type TemporalOptions, type TemporalServer, temporalProgram } from './temporal.ts'
export {
  type CatalogProperties,
  type IcebergCatalog,
  icebergCatalog,
  startTrino,
  type TrinoOptions,
  type TrinoServer,
} from './trino.ts'
export { startVersitygw, type VersitygwOptions, type VersitygwServer } from './versitygw.ts'
