/** The collector of the tracing benchmark, a process of its own, so that what it spends is nobody else's. Each time it is asked it tells how many spans it has taken so far. */
import { startOtlpReceiver } from '../observability/testing/otlp-receiver.ts'
import { tell, told } from './child.ts'

export interface CollectorAnswer {
  url: string
  spans: number
}

let spans = 0
const receiver = await startOtlpReceiver((taken) => {
  spans += taken.length
})
do tell({ url: receiver.url, spans } satisfies CollectorAnswer)
while ((await told()) === 'next')
await receiver.close()
