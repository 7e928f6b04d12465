import { describe, expect, it } from 'vitest'
import { CONTROL_HEADER, erasureRecord, isControl, readErasure } from './erasure.ts'
import { CLICKSTREAM } from './topics.ts'

const ERASURE = { erasure_id: 'e-1', subject_id: 'ada', requested_at: 1_000 }

describe('the erasure record', () => {
  it('is told from events by its header, and says what it was written with', () => {
    const { key, value, headers } = erasureRecord(CLICKSTREAM, ERASURE)
    const read = { key, value, headers }
    expect(isControl(read)).toBe(true)
    expect(readErasure(read)).toEqual(ERASURE)
  })

  it('is no event: records without headers, or with others, are not control records', () => {
    expect(isControl({})).toBe(false)
    expect(isControl({ headers: { traceparent: '00-…' } })).toBe(false)
  })

  it('refuses what would erase nothing: another kind, another key, no subject', () => {
    const { value } = erasureRecord(CLICKSTREAM, ERASURE)
    const headers = { [CONTROL_HEADER]: 'erasure' }
    const read = (some: object) => () => readErasure({ key: 'ada', value, headers, ...some })
    expect(read({})).not.toThrow()
    expect(read({ headers: { [CONTROL_HEADER]: 'epoch' } })).toThrow('kind')
    expect(read({ key: 'bob' })).toThrow('key')
    expect(read({ value: Buffer.from('{"subject_id":"ada"}') })).toThrow('erasure_id')
  })
})
