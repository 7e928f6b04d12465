/** Which records of a topic one job's streams refused, and which repeat an earlier one: for evaluations that go through the records themselves. */
import type { InputTopic } from '../../streams/contract/topics.ts'
import type { Shadow } from '../../streams/shadow/index.ts'

export interface Flags {
  /** late, duplicate or dead_letter; null: applied. */
  refused: string | null
  repeated: boolean
}

const NONE: Flags = { refused: null, repeated: false }
const PAGE = 50_000

/** @param job an operator's name */
export async function flagsOf(
  { sql }: Pick<Shadow, 'sql'>,
  topic: InputTopic,
  job: string,
): Promise<(partition: number, offset: number) => Flags> {
  const flags = new Map<string, Flags>()
  const rows = sql<{ partition: number; offset: number; outcome: string | null }[]>`
    SELECT partition, "offset", outcome FROM refused WHERE topic = ${topic} AND job IN ('*', ${job})
    UNION ALL SELECT partition, "offset", NULL FROM repeated WHERE topic = ${topic}`
  for await (const page of rows.cursor(PAGE))
    for (const { partition, offset, outcome } of page) {
      const key = `${partition}:${offset}`
      const known = flags.get(key) ?? NONE
      flags.set(key, outcome === null ? { ...known, repeated: true } : { ...known, refused: outcome })
    }
  return (partition, offset) => flags.get(`${partition}:${offset}`) ?? NONE
}
