/** Accounts, sessions and the audit log in memory, with the behaviour that `access-suite.ts` holds every form of them to. */
import type { Account, AuditEntry, AuditStore, SessionOwner, SessionStore, User, UserStore } from '../ports.ts'

export interface MemoryUsers extends UserStore {
  /** Of its changes, and of the sessions over it. */
  readonly audit: AuditEntry[]
}

export function memoryUsers(...known: User[]): MemoryUsers {
  const users = new Map<string, User & Account>(known.map((u) => [u.username, { ...u, created_at: 0 }]))
  const audit: AuditEntry[] = []
  const isLastAdmin = ({ role }: User): boolean =>
    role === 'admin' && [...users.values()].filter((user) => user.role === 'admin').length === 1
  return {
    audit,
    find: async (username) => users.get(username) ?? null,
    async list({ limit, cursor = '' }) {
      const after = [...users.values()]
        .filter(({ username }) => username > cursor)
        .sort((a, b) => (a.username < b.username ? -1 : 1))
      const items = after.slice(0, limit)
      return { items, next: after.length > limit ? items.at(-1)!.username : null }
    },
    hasAdmin: async () => [...users.values()].some(({ role }) => role === 'admin'),
    async create(user, { by, at }) {
      if (users.has(user.username)) return false
      users.set(user.username, { ...user, created_at: at })
      audit.push({ at, by, action: 'user.create', target: user.username, detail: { role: user.role } })
      return true
    },
    async change(username, { role, password_hash }, { by, at }) {
      const user = users.get(username)
      if (!user) return 'missing'
      if (role !== undefined && role !== 'admin' && isLastAdmin(user)) return 'last_admin'
      users.set(username, { ...user, role: role ?? user.role, password_hash: password_hash ?? user.password_hash })
      const detail = {
        ...(role !== undefined && { role, was: user.role }),
        ...(password_hash !== undefined && { password: true }),
      }
      audit.push({ at, by, action: 'user.change', target: username, detail })
      return 'done'
    },
    async remove(username, { by, at }) {
      const user = users.get(username)
      if (!user) return 'missing'
      if (isLastAdmin(user)) return 'last_admin'
      users.delete(username)
      audit.push({ at, by, action: 'user.remove', target: username, detail: { role: user.role } })
      return 'done'
    },
  }
}

interface MemoryToken {
  family: string
  owner: SessionOwner
  /** The very account it belongs to: any change makes another of it, and so ends the session. null: of a link. */
  account: User | null
  expiresAt: number
  isUsed: boolean
}

export function memorySessions(users: MemoryUsers): SessionStore {
  const { audit } = users
  const tokens = new Map<string, MemoryToken>()
  const links = new Map<string, SessionOwner & { expiresAt: number }>()
  const textOf = (hash: Uint8Array): string => Buffer.from(hash).toString('hex')
  const endFamily = (family: string): void => {
    for (const [hash, token] of tokens) if (token.family === family) tokens.delete(hash)
  }
  const accountOf = async (hash: Uint8Array): Promise<User | null> => {
    const token = tokens.get(textOf(hash))
    return token ? users.find(token.owner.username) : null
  }
  /** Of an account that is as it was. */
  const living = (hash: Uint8Array, account: User | null): MemoryToken | undefined => {
    const token = tokens.get(textOf(hash))
    return token?.account === null || token?.account === account ? token : undefined
  }
  return {
    async begin(user, { hash, family, expiresAt }, { by, at }) {
      const account = await users.find(user.username)
      if (account?.password_hash !== user.password_hash) return false
      tokens.set(textOf(hash), { family, owner: user, account, expiresAt, isUsed: false })
      audit.push({ at, by, action: 'session.begin', target: user.username, detail: { with: 'password' } })
      return true
    },
    async createLink({ hash, role, expiresAt }, { by, at }) {
      links.set(textOf(hash), { username: by.username, role, expiresAt })
      audit.push({ at, by, action: 'login_link.create', target: role })
    },
    async beginByLink(codeHash, { hash, family, expiresAt }, { address, at }) {
      const link = links.get(textOf(codeHash))
      if (!link || link.expiresAt <= at) return null
      links.delete(textOf(codeHash))
      const { username, role } = link
      tokens.set(textOf(hash), { family, owner: { username, role }, account: null, expiresAt, isUsed: false })
      const by = { username, address }
      audit.push({ at, by, action: 'session.begin', target: username, detail: { with: 'link', role } })
      return { username, role }
    },
    async rotate(hash, next, { address, at }) {
      const token = living(hash, await accountOf(hash))
      if (!token) return { outcome: 'unknown' }
      const { username, role } = token.owner
      if (token.isUsed) {
        endFamily(token.family)
        const detail = { ended: token.family }
        audit.push({ at, by: { username, address }, action: 'session.reuse', target: username, detail })
        return { outcome: 'reused' }
      }
      if (token.expiresAt <= at) return { outcome: 'unknown' }
      token.isUsed = true
      tokens.set(textOf(next.hash), { ...token, expiresAt: next.expiresAt, isUsed: false })
      return { outcome: 'rotated', owner: { username, role } }
    },
    async end(hash, { address, at }) {
      const token = living(hash, await accountOf(hash))
      if (!token) return
      endFamily(token.family)
      const { username } = token.owner
      audit.push({ at, by: { username, address }, action: 'session.end', target: username })
    },
  }
}

export const memoryAudit = (entries: AuditEntry[]): AuditStore => ({
  record: async (entry) => void entries.push(entry),
  async page({ actor, target, limit, cursor }) {
    const rows = entries
      .map(({ by, detail = {}, ...rest }, i) => ({
        ...rest,
        id: i + 1,
        actor: by.username,
        address: by.address,
        detail,
      }))
      .filter((row) => (actor ?? row.actor) === row.actor && (target ?? row.target) === row.target)
      .filter((row) => cursor === undefined || row.id < Number(cursor))
      .reverse()
    const items = rows.slice(0, limit)
    return { items, next: rows.length > limit ? String(items.at(-1)!.id) : null }
  },
})
