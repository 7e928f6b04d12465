/** Erasures in memory: as asked for, since nobody carries them out there. */
import { createHash } from 'node:crypto'
import type { ErasureRow, ErasureStore } from '../ports.ts'

export function memoryErasures(): ErasureStore {
  const all: { userId: string; row: ErasureRow }[] = []
  return {
    async request({ id, userId, salt, by, at }) {
      const known = all.find((each) => each.userId === userId)
      if (known) return known.row
      const row: ErasureRow = {
        id,
        state: 'requested',
        subject_hash: createHash('sha256').update(`${salt}:${userId}`).digest('hex'),
        salt,
        requested_at: at,
        requested_by: by.username,
        updated_at: at,
        waits_until: null,
        steps: [],
        completed_at: null,
        failure: null,
      }
      all.unshift({ userId, row })
      return row
    },
    page: async ({ state, limit }) => ({
      items: all
        .map(({ row }) => row)
        .filter((row) => state === undefined || row.state === state)
        .slice(0, limit),
      next: null,
    }),
    find: async (id) => all.find(({ row }) => row.id === id)?.row ?? null,
  }
}
