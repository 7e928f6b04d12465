/** The configuration of a command, with its mistakes told as a command tells them. */
import { type Config, ConfigError, type ConfigOverrides, loadConfig } from '../db/config.ts'
import { CommandFailed, UsageError } from './command.ts'

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
