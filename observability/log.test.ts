import { describe, expect, it } from 'vitest'
import { createLogger } from './log.ts'

function capture() {
  const lines: string[] = []
  const logger = createLogger({
    level: 'info',
    component: 'edge',
    destination: { write: (line) => void lines.push(line) },
  })
  return { logger, lines, last: () => JSON.parse(lines.at(-1)!) as Record<string, unknown> }
}

describe('the log', () => {
  it('is one JSON object per line, with level, time and component', () => {
    const { logger, last } = capture()
    logger.info({ topic: 'x' }, 'Hello')
    expect(last()).toMatchObject({
      level: 'info',
      component: 'edge',
      topic: 'x',
      msg: 'Hello',
      time: expect.stringMatching(/^\d{4}-.*Z$/),
    })
  })

  it('masks what could be a secret, however deep it came', () => {
    const { logger, lines } = capture()
    logger.info(
      {
        password: 'hunter2',
        config: { writeKey: 'hunter2' },
        request: { headers: { authorization: 'hunter2', 'x-write-key': 'hunter2' } },
      },
      'x',
    )
    expect(lines[0]).not.toContain('hunter2')
    expect(lines[0]).toContain('[secret]')
  })

  it('says nothing below its level', () => {
    const { logger, lines } = capture()
    logger.debug('x')
    expect(lines).toEqual([])
  })
})
