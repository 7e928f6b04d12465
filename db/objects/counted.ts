/**
 * An object store that counts what is put and got, for whoever follows it: two figures on the span of an activity or of a commit round say what hundreds of spans would.
 *
 * Invariant: it is the same store; where nobody counts it does nothing else.
 */
import { context, createContextKey, trace } from '@opentelemetry/api'
import { isRecorded } from '../../observability/spans.ts'
import type { BulkObjectStore } from './object-store.ts'

interface Counts {
  put: number
  got: number
}

const COUNTS = createContextKey('streamforge.objects')

/** The work, with what it puts and gets noted on the active span. */
export async function countingObjects<T>(work: () => Promise<T>): Promise<T> {
  if (!isRecorded()) return work()
  const span = trace.getActiveSpan()
  const counts: Counts = { put: 0, got: 0 }
  try {
    return await context.with(context.active().setValue(COUNTS, counts), work)
  } finally {
    span?.setAttributes({ 'streamforge.objects.put': counts.put, 'streamforge.objects.got': counts.got })
  }
}

function count(what: keyof Counts): void {
  const counts = context.active().getValue(COUNTS) as Counts | undefined
  if (counts) counts[what]++
}

export function countedObjects(store: BulkObjectStore): BulkObjectStore {
  const counted =
    <A extends unknown[], R>(what: keyof Counts, operation: (...args: A) => R) =>
    (...args: A): R => {
      count(what)
      return operation(...args)
    }
  return {
    ...store,
    put: counted('put', store.put),
    putIfAbsent: counted('put', store.putIfAbsent),
    putFile: counted('put', store.putFile),
    get: counted('got', store.get),
    getFile: counted('got', store.getFile),
    getRange: counted('got', store.getRange),
    stream: counted('got', store.stream),
  }
}
