/**
 * Foreign topics as configuration: topics of other producers in the same log, with plain JSON values, and which of our events their rows become.
 *
 * Plain data, so that it can be handed to a thread. Invariant: what has been parsed can be read: names are possible, mappings are whole.
 */
import { z } from 'zod'
import { deadLetterTopic, TOPICS, type Topic } from '../contract/topics.ts'
import { type Mapping, type MappingSpec, parseMapping } from '../sources/mappings/mapping.ts'
import { PRESETS } from '../sources/mappings/presets.ts'

export interface ForeignTopic {
  readonly name: string
  /** Where the log is the embedded one, which makes its topics itself. */
  readonly partitions: number
  /** A preset's name, or what a mapping file says. */
  readonly mapping: string | MappingSpec
}

const DAY_MS = 24 * 60 * 60 * 1000
/** The embedded log has room for so many partitions, dead letters included. */
const PARTITIONS_MAX = 64
const presets = Object.keys(PRESETS).join(', ')
const ours = new Set(TOPICS.map(({ name }) => name))

const entry = z.strictObject({
  topic: z
    .string()
    .regex(/^[A-Za-z0-9._-]{1,150}$/, 'expected at most 150 letters, digits, dots, dashes and underscores')
    .refine((name) => !ours.has(name), 'is a topic of the platform itself')
    .refine((name) => !name.startsWith('dlq.'), 'holds dead letters: "streamforge dlq replay" brings them back'),
  mapping: z.union([z.string().min(1), z.record(z.string(), z.unknown())], {
    error: `expected a preset (${presets}), a mapping file or a mapping`,
  }),
  partitions: z.number().int().min(1).max(32).default(1),
})
const file = z.strictObject({ topics: z.array(entry).min(1, 'expected at least one topic') })

/**
 * @param what names the configuration in messages, e.g. its file
 * @param readMapping the content of a mapping file that is named; its path is relative to the configuration
 * @throws Error with a sentence for each fault
 */
export async function parseForeignTopics(
  value: unknown,
  what: string,
  readMapping: (path: string) => Promise<unknown>,
): Promise<ForeignTopic[]> {
  const parsed = file.safeParse(value)
  if (!parsed.success) {
    const faults = parsed.error.issues.map((issue) => `  ${issue.path.join('.') || 'file'}: ${issue.message}`)
    throw new Error(`${what} does not say which foreign topics there are:\n${faults.join('\n')}`)
  }
  const names = parsed.data.topics.map(({ topic }) => topic)
  const twice = names.find((name, i) => names.indexOf(name) !== i)
  if (twice !== undefined) throw new Error(`${what} names the topic ${twice} twice.`)
  if (parsed.data.topics.reduce((sum, { partitions }) => sum + partitions + 1, 0) > PARTITIONS_MAX)
    throw new Error(`${what} asks for more than ${PARTITIONS_MAX} partitions, dead letters included.`)
  return Promise.all(
    parsed.data.topics.map(async ({ topic, mapping, partitions }) => {
      const given =
        typeof mapping !== 'string' || Object.hasOwn(PRESETS, mapping) ? mapping : await readMapping(mapping)
      const found: ForeignTopic = { name: topic, partitions, mapping: given as ForeignTopic['mapping'] }
      mappingFor(found, typeof mapping === 'string' ? mapping : `${what}, mapping of ${topic},`)
      return found
    }),
  )
}

/** @throws Error where it is no mapping, with a sentence for each fault */
export const mappingFor = ({ name, mapping }: ForeignTopic, what = `The mapping of ${name}`): Mapping =>
  typeof mapping === 'string' ? PRESETS[mapping]! : parseMapping(mapping, what)

/** Where the rows go that become no event. */
export const foreignDeadLetters = (topics: readonly ForeignTopic[]): Topic[] =>
  topics.map(({ name }) => ({
    name: deadLetterTopic(name),
    partitions: 1,
    retentionMs: 30 * DAY_MS,
    key: 'the original key',
  }))

/** All that the embedded log has to hold for them. */
export const foreignLogTopics = (topics: readonly ForeignTopic[]): Topic[] => [
  ...topics.map(({ name, partitions }) => ({ name, partitions, retentionMs: 7 * DAY_MS, key: "its producer's" })),
  ...foreignDeadLetters(topics),
]
