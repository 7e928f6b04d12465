/** A worker as a process of its own, for tests that kill and freeze it: `startWorkerProcess` of batch-world.ts tells it its settings and ends it with the test. */
import { createLogger } from '../../observability/log.ts'
import { createRegistry } from '../../observability/metrics.ts'
import { stopTracing } from '../../observability/preload.ts'
import { startWorker, type WorkerSettings } from '../worker.ts'

process.once('disconnect', () => process.exit(1))
process.once('message', async (settings: WorkerSettings) => {
  const tools = { logger: createLogger({ level: 'silent', component: 'worker' }), metrics: createRegistry() }
  const running = await startWorker(settings, tools)
  process.on('SIGTERM', () => void running.stop())
  process.send?.('ready')
  await running.done
  await stopTracing()
  process.exit(0)
})
