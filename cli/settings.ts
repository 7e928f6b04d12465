/** The configuration of a command, with its mistakes told as a command tells them. */
import { resolve } from 'node:path'
import { type Config, ConfigError, type ConfigOverrides, loadConfig } from '../db/config.ts'
import { CommandFailed, type CommandIo, UsageError } from './command.ts'

/** @throws UsageError where only options are wrong, CommandFailed where the environment is */
export function configFrom(env: Readonly<Record<string, string | undefined>>, options: ConfigOverrides = {}): Config {
  try {
    return loadConfig(env, options)
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    if (error.problems.every((problem) => problem.startsWith('--')))
      throw new UsageError(`${error.problems.join('. ')}.`)
    throw new CommandFailed(error.message)
  }
}

/** The same for a command whose only setting is `--data`: a folder as seen from where it was called. */
export const configAt = (
  { data }: { data?: string | undefined },
  { env, cwd }: Pick<CommandIo, 'env' | 'cwd'>,
): Config => configFrom(env, { dataDir: data === undefined ? undefined : resolve(cwd, data) })
