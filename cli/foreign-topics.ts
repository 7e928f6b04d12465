/**
 * The file of foreign topics that STREAMFORGE_FOREIGN_TOPICS or --foreign-topics names: read at the start of a command, with everything that is wrong told in sentences.
 * Invariant: a process that begins has topics to read, and topics for what can't be read.
 */
import { readFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { type Config, kafkaConnectionOf } from '../db/config.ts'
import type { Logger } from '../observability/log.ts'
import { type ForeignTopic, foreignDeadLetters, parseForeignTopics } from '../streams/foreign/foreign-topic.ts'
import { LogUnavailable } from '../streams/log/event-log.ts'
import { CommandFailed } from './command.ts'
import { requireTopics } from './topics.ts'

export const FOREIGN_USAGE = `  --foreign-topics FILE  JSON topics of other producers, and what their rows become (default: STREAMFORGE_FOREIGN_TOPICS)`

/** @returns none where no file is named. @throws CommandFailed */
export async function foreignTopicsOf({ foreignTopics: path }: Pick<Config, 'foreignTopics'>): Promise<ForeignTopic[]> {
  if (path === '') return []
  try {
    return await parseForeignTopics(await readJson(path), path, (name) => readJson(resolve(dirname(path), name)))
  } catch (error) {
    throw new CommandFailed((error as Error).message)
  }
}

/** The same for a process that is to read them. @throws CommandFailed also where Kafka lacks a topic */
export async function requireForeignTopics(config: Config, logger: Logger): Promise<ForeignTopic[]> {
  const foreign = await foreignTopicsOf(config)
  if (foreign.length === 0 || config.kafkaBrokers.length === 0) return foreign
  const { withKafkaAdmin } = await import('../streams/log/kafka/topics.ts')
  const there = await withKafkaAdmin(kafkaConnectionOf(config), (admin) => admin.listTopics()).catch((error: Error) => {
    throw error instanceof LogUnavailable ? new CommandFailed(error.message) : error
  })
  const missing = foreign.map(({ name }) => name).filter((name) => !there.includes(name))
  if (missing.length > 0) {
    throw new CommandFailed(
      `Kafka has no ${missing.length === 1 ? 'topic' : 'topics'} ${missing.join(', ')}, which ${config.foreignTopics} names. Foreign topics are made by their producers: wait for them, or correct the name.`,
    )
  }
  await requireTopics(config, foreignDeadLetters(foreign), logger)
  return foreign
}

async function readJson(path: string): Promise<unknown> {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (error) {
    throw new Error(`${path} can't be read: ${(error as Error).message.split(',')[0]}.`)
  }
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new Error(`${path} is not valid JSON: ${(error as Error).message}.`)
  }
}
