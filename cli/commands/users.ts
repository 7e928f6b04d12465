/** `streamforge users`: the accounts of people. Passwords are made up and shown once, or read from standard input: never from the command line, which others can see. */
import { randomBytes } from 'node:crypto'
import { text } from 'node:stream/consumers'
import type { Role } from '../../edge/ports.ts'
import { type CommandIo, defineCommand, parseArguments, UsageError } from '../command.ts'
import { API_OPTIONS, API_USAGE, answerOf, type EdgeApi, findEdgeApi } from '../edge-api.ts'
import { textTable } from '../text-table.ts'
import { roleOption } from './token.ts'

export const users = defineCommand({
  name: 'users',
  usage: `streamforge users ls                       accounts and their roles
streamforge users add NAME [--role ROLE]   makes an account; its role is viewer unless told
streamforge users set-role NAME ROLE       viewer, operator or admin
streamforge users set-password NAME
streamforge users remove NAME

A password is made up and shown this once. What is changed of an account ends its sessions. The last admin stays one.

  --password-stdin  the password is standard input, without the line end
  --json            for programs (ls)
${API_USAGE}`,
  async run(args, io) {
    const { values, positionals } = parseArguments(args, {
      ...API_OPTIONS,
      role: { type: 'string' },
      'password-stdin': { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
    })
    const [verb, ...names] = positionals
    const wish = wishOf(verb, names, values)
    const edge = await findEdgeApi(values, 'admin', io)
    await DO[wish.verb](edge, wish, io)
    return 0
  },
})

const VERBS = { ls: 0, add: 1, 'set-role': 2, 'set-password': 1, remove: 1 } as const
type Verb = keyof typeof VERBS

interface Wish {
  verb: Verb
  username: string
  role: Role
  json: boolean
  passwordFromInput: boolean
}

interface Given {
  role?: string | undefined
  'password-stdin': boolean
  json: boolean
}

/** @throws UsageError */
function wishOf(verb: string | undefined, names: readonly string[], given: Given): Wish {
  if (verb === undefined || !Object.hasOwn(VERBS, verb) || names.length !== VERBS[verb as Verb])
    throw new UsageError('users takes "ls", "add NAME", "set-role NAME ROLE", "set-password NAME" or "remove NAME".')
  const [username = '', role = given.role] = names
  if (given.role !== undefined && verb !== 'add') throw new UsageError(`users ${verb} has no option --role.`)
  return {
    verb: verb as Verb,
    username,
    role: roleOption(role ?? 'viewer'),
    json: given.json,
    passwordFromInput: given['password-stdin'],
  }
}

const DO: Record<Verb, (edge: EdgeApi, wish: Wish, io: CommandIo) => Promise<void>> = {
  async ls({ client }, { json }, io) {
    const accounts: { username: string; role: Role; created_at: string }[] = []
    let cursor: string | undefined
    do {
      const query = { limit: 500, ...(cursor !== undefined && { cursor }) }
      const { data, meta } = await answerOf(client.GET('/users', { params: { query } }))
      accounts.push(...data)
      cursor = meta.next_cursor ?? undefined
    } while (cursor !== undefined)
    if (json) io.out(`${JSON.stringify(accounts)}\n`)
    else
      io.out(
        textTable(
          ['NAME', 'ROLE', 'SINCE'],
          accounts.map(({ username, role, created_at }) => [username, role, created_at]),
        ),
      )
  },
  async add({ client }, wish, io) {
    const { username, role } = wish
    const { password, shown } = await passwordFor(wish, io)
    await answerOf(client.POST('/users', { body: { username, role, password } }))
    io.out(`The account ${username} is there, as ${role}.${shown}\n`)
  },
  async 'set-role'({ client }, { username, role }, io) {
    await answerOf(client.PATCH('/users/{username}', { params: { path: { username } }, body: { role } }))
    io.out(`${username} is ${role === 'viewer' ? 'a' : 'an'} ${role} now, and signs in again.\n`)
  },
  async 'set-password'({ client }, wish, io) {
    const { username } = wish
    const { password, shown } = await passwordFor(wish, io)
    await answerOf(client.PATCH('/users/{username}', { params: { path: { username } }, body: { password } }))
    io.out(`${username} has another password, and signs in again.${shown}\n`)
  },
  async remove({ client }, { username }, io) {
    await answerOf(client.DELETE('/users/{username}', { params: { path: { username } } }))
    io.out(`The account ${username} is gone.\n`)
  },
}

async function passwordFor({ passwordFromInput }: Wish, io: CommandIo): Promise<{ password: string; shown: string }> {
  if (passwordFromInput) {
    const password = (await text(io.input ?? process.stdin)).replace(/\r?\n$/, '')
    return { password, shown: '' }
  }
  const password = randomBytes(15).toString('base64url')
  return { password, shown: ` Its password: ${password} (shown this once)` }
}
