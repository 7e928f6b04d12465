/** The memory form of the stores of access, which the edge's own tests stand on. */
import { describeAccessStores } from '../testing/access-suite.ts'
import { memoryAudit, memorySessions, memoryUsers } from '../testing/memory-access.ts'

describeAccessStores('in memory', async () => {
  const users = memoryUsers()
  return { users, sessions: memorySessions(users), audit: memoryAudit(users.audit) }
})
