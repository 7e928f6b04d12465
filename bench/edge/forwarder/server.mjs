// What a team would write in an afternoon: Fastify takes events, @platformatic/kafka sends them on as JSON, keyed by user, and nothing is looked at. For comparison (bench/edge/ingest.ts).
// node server.mjs '{"brokers":["127.0.0.1:9092"],"topic":"events"}'; it tells its address on standard output and ends with standard input.
import { Producer, stringSerializers } from '@platformatic/kafka'
import fastify from 'fastify'

const { brokers, topic } = JSON.parse(process.argv.at(-1))
const producer = new Producer({ clientId: 'forwarder', bootstrapBrokers: brokers, serializers: stringSerializers })
const app = fastify({ bodyLimit: 1024 * 1024 })

app.post('/api/v1/events', async (request, reply) => {
  const events = Array.isArray(request.body) ? request.body : [request.body]
  // acks -1: an answer means that Kafka has the events, as ours does.
  await producer.send({
    acks: -1,
    messages: events.map((event) => ({ topic, key: event.user_id, value: JSON.stringify(event) })),
  })
  return reply.code(202).send({ accepted: events.length })
})

const url = await app.listen({ host: '127.0.0.1', port: 0 })
process.stdout.write(`${JSON.stringify({ url })}\n`)
process.stdin.resume().once('end', async () => {
  await app.close()
  await producer.close(true)
})
