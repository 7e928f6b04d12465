/** `streamforge login-link`: the dashboard's address with a code that signs in once, as `npm start` shows it. */
import { defineCommand, parseArguments, UsageError } from '../command.ts'
import { API_OPTIONS, API_USAGE, findEdgeApi, loginLink as newLink } from '../edge-api.ts'
import { roleOption } from './token.ts'

export const loginLink = defineCommand({
  name: 'login-link',
  usage: `streamforge login-link [options]

Prints the address of the dashboard with a code behind it that signs in once, within 15 minutes. Only a hash of the code is kept, and browsers do not send it with the address.

  --role ROLE       viewer, operator or admin (default)
${API_USAGE}`,
  async run(args, io) {
    const { values, positionals } = parseArguments(args, { ...API_OPTIONS, role: { type: 'string', default: 'admin' } })
    if (positionals.length > 0) throw new UsageError(`login-link takes options only, not "${positionals[0]}".`)
    const role = roleOption(values.role)
    io.out(`${await newLink(await findEdgeApi(values, 'admin', io), role)}\n`)
    return 0
  },
})
