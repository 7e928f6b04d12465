/** `streamforge token`: an access token for scripts on the machine of the platform, without a password. Nothing is stored: it ends by itself, or with the secret. */
import { ROLES, type Role } from '../../db/postgres/roles.ts'
import { ownToken } from '../access.ts'
import { defineCommand, parseArguments, UsageError } from '../command.ts'
import { configFrom } from '../settings.ts'
import { durationOption } from '../time-option.ts'

export const token = defineCommand({
  name: 'token',
  usage: `streamforge token [options]

Prints an access token for the API: curl -H "Authorization: Bearer $(streamforge token)" …
It is signed with the secret of the platform's data folder, or STREAMFORGE_JWT_SECRET, and can't be taken back before it ends, except by a new secret.

  --role ROLE       viewer (default), operator or admin
  --expires SPAN    how long it holds, e.g. 90s, 30m, 8h (the default), 7d; 365d at most
  --data DIR        the platform's data folder (default: STREAMFORGE_DATA_DIR, else ./data)`,
  async run(args, io) {
    const { values, positionals } = parseArguments(args, {
      role: { type: 'string', default: 'viewer' },
      expires: { type: 'string', default: '8h' },
      data: { type: 'string' },
    })
    if (positionals.length > 0) throw new UsageError(`token takes options only, not "${positionals[0]}".`)
    const role = roleOption(values.role)
    const seconds = Math.ceil(durationOption('--expires', values.expires, 365) / 1000)
    const config = configFrom(io.env, { dataDir: values.data })
    io.out(`${await ownToken(config, io.clock, { role, seconds })}\n`)
    return 0
  },
})

/** @throws UsageError */
export function roleOption(text: string): Role {
  const role = ROLES.find((known) => known === text)
  if (!role) throw new UsageError(`--role takes one of ${ROLES.join(', ')}, not "${text}".`)
  return role
}
