/**
 * The erasure record: how the log itself says that a person is to be forgotten.
 *
 * It is appended to an input topic under the subject's key, so it lies in the partition of the subject's records and behind all of them, and is met in
 * order: what a task keeps stays a function of its log. A control record is no event: whoever decodes an input topic's records passes it over
 * ({@link isControl}), but for the jobs' tasks, which forget the subject (`runtime/task.ts`).
 */
import { z } from 'zod'
import type { InputTopic } from './topics.ts'

/** The header that makes a record a control record. Records of events never carry it. */
export const CONTROL_HEADER = 'streamforge_control'
const ERASURE = 'erasure'

/** What an erasure record says. */
export interface Erasure {
  /** Names the erasure in certificates; says nothing of the person. */
  erasure_id: string
  /** A user id or an anonymous id: the key of the records to forget. */
  subject_id: string
  /** Epoch milliseconds. */
  requested_at: number
}

const erasureValue = z.object({
  erasure_id: z.string().min(1).max(200),
  subject_id: z.string().min(1).max(200),
  requested_at: z.number(),
})

/** What a control record is told by; the log's port has the whole record. */
interface Headed {
  readonly headers?: Readonly<Record<string, string>> | undefined
}

/** Whether the record tells its readers something rather than being an event. Costs records without headers nothing. */
export const isControl = ({ headers }: Headed): boolean =>
  headers !== undefined && headers[CONTROL_HEADER] !== undefined

/** For the log's `append`: the record that has the subject forgotten by whatever is computed from the topic. */
export const erasureRecord = (topic: InputTopic, erasure: Erasure) => ({
  topic,
  key: erasure.subject_id,
  value: Buffer.from(JSON.stringify(erasure)),
  headers: { [CONTROL_HEADER]: ERASURE },
})

/** What whoever is erased is called from then on begins so, in the results and in the lake. Each place has made up the rest by itself: they can't be compared. */
export const ERASED = 'erased-'

/**
 * What stands for the subject from there on where something has to: in counts of distinct users, in rows that totals are made of. It follows from where the
 * erasure record lies, so that a replay gives it again, and says nothing of who it was.
 */
export const standInOf = ({ partition, offset }: { partition: number; offset: number }): string =>
  `${ERASED}${partition}-${offset}`

/** What a control record asks for. @throws Error, with a sentence, when it is none that this version understands */
export function readErasure(record: Headed & { readonly key: string | null; readonly value: Buffer }): Erasure {
  const kind = record.headers?.[CONTROL_HEADER]
  if (kind !== ERASURE) throw new Error(`a control record of a kind that is not known here: "${kind}"`)
  const erasure = erasureValue.parse(JSON.parse(record.value.toString()))
  // In another's partition it would erase nothing, and nobody would notice.
  if (record.key !== erasure.subject_id) throw new Error('an erasure record whose key is not its subject')
  return erasure
}
