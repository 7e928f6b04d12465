/**
 * Access tokens for commands on the machine of the platform: signed with its secret, of the environment or the data folder, since whoever may read that needs no password.
 *
 * Invariant: the name that such a token bears has a colon, which no account's name has, so that the audit log never takes one for the other.
 */
import { userInfo } from 'node:os'
import type { Config } from '../db/config.ts'
import { jwtSecretOf } from '../db/secrets.ts'
import { createTokens } from '../edge/auth/tokens.ts'
import type { Role } from '../edge/ports.ts'
import type { Clock } from '../streams/time/clock.ts'
import { CommandFailed } from './command.ts'

export interface TokenWish {
  role: Role
  seconds: number
}

/** Long enough for one command. */
const COMMAND_SECONDS = 600

/** @throws CommandFailed where no platform has been started on the data folder yet */
export async function ownToken(
  config: Pick<Config, 'dataDir' | 'jwtSecret'>,
  clock: Clock,
  { role = 'viewer', seconds = COMMAND_SECONDS }: Partial<TokenWish> = {},
): Promise<string> {
  const secret = await jwtSecretOf(config.dataDir, config)
  if (secret === null)
    throw new CommandFailed(
      `There is no secret to sign with in ${config.dataDir}: start the platform there once ("npm start"), or name its data folder with --data.`,
    )
  return createTokens(secret.reveal(), clock).issue({ username: cliName(), role }, seconds)
}

/** Who calls by the command line, for the audit log: `cli:ada`. */
export function cliName(): string {
  try {
    return `cli:${userInfo().username}`
  } catch {
    // In a container a process may run as a number that has no name.
    return `cli:${process.getuid?.() ?? 'unknown'}`
  }
}
