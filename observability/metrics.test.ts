import { Counter } from 'prom-client'
import { describe, expect, it } from 'vitest'
import { createRegistry, mergeMetricTexts } from './metrics.ts'

describe('the metrics of several threads', () => {
  it('are one text with one HELP and TYPE per family', async () => {
    const texts = await Promise.all(
      ['a', 'b'].map((thread) => {
        const registry = createRegistry({ labels: { thread } })
        new Counter({ name: 'x_total', help: 'X.', registers: [registry] }).inc(thread === 'a' ? 1 : 2)
        new Counter({ name: `only_${thread}_total`, help: 'Y.', registers: [registry] }).inc()
        return registry.metrics()
      }),
    )
    expect(mergeMetricTexts(texts).trim().split('\n')).toEqual([
      '# HELP x_total X.',
      '# TYPE x_total counter',
      'x_total{thread="a"} 1',
      'x_total{thread="b"} 2',
      '# HELP only_a_total Y.',
      '# TYPE only_a_total counter',
      'only_a_total{thread="a"} 1',
      '# HELP only_b_total Y.',
      '# TYPE only_b_total counter',
      'only_b_total{thread="b"} 1',
    ])
  })

  it('include those of the process where they are wanted', async () => {
    expect(await createRegistry({ processMetrics: true }).metrics()).toContain('process_resident_memory_bytes')
    expect(await createRegistry().metrics()).not.toContain('process_')
  })
})
