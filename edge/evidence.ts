/** The edge's port on evidence: DuckDB and the jobs are loaded when the first question comes, so that an edge which is never asked starts and stays as light as it is. */
import type { Evidence, EvidenceOptions } from '../streams/evidence/index.ts'

export function openEvidence(options: EvidenceOptions): Evidence {
  let loading: Promise<Evidence> | undefined
  const load = () => {
    loading ??= import('../streams/evidence/index.ts').then(({ createEvidence }) => createEvidence(options))
    return loading
  }
  return {
    explainer: {
      rule: async (alert) => (await load()).explainer.rule(alert),
      arrivals: async (alert) => (await load()).explainer.arrivals(alert),
      explain: async (alert, changes) => (await load()).explainer.explain(alert, changes),
    },
    tracer: { trace: async (question) => (await load()).tracer.trace(question) },
  }
}
