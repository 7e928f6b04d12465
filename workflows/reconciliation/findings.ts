/** What a reconciliation finds, as data: for the report, the tables and the metrics. Pure. */
import type { CauseSum } from '../../db/postgres/batch-schema.ts'

export interface Finding {
  explained: boolean
  table: string
  cause: string
  key: Record<string, string | number>
  message: string
  records: number
  minor: Record<string, number>
  live: Record<string, unknown> | null
  expected: Record<string, unknown> | null
  /** `<topic>:<partition>:<offset>` */
  sample: string[]
}

export interface Findings {
  /** The first of each kind. */
  readonly all: readonly Finding[]
  readonly explained: Readonly<Record<string, CauseSum>>
  readonly unexplained: number
  readonly unexplainedMinor: Readonly<Record<string, number>>
  /** @param times how many there are of it, when it stands for more */
  add(finding: Finding, times?: number): void
  /** Counts what a cause has done, without a finding for each. */
  count(cause: string, records: number, minor: Readonly<Record<string, number>>): void
  has(table: string, key: Readonly<Record<string, string | number>>): boolean
}

const OF_A_KIND_MAX = 100

export function newFindings(): Findings {
  const all: Finding[] = []
  const explained: Record<string, CauseSum> = {}
  const unexplainedMinor: Record<string, number> = {}
  const kinds = new Map<string, number>()
  const keys = new Set<string>()
  let unexplained = 0
  return {
    all,
    explained,
    unexplainedMinor,
    get unexplained() {
      return unexplained
    },
    add(finding, times = 1) {
      if (!finding.explained) {
        unexplained += times
        addTo(unexplainedMinor, finding.minor)
        keys.add(keyText(finding.table, finding.key))
      }
      const kind = `${finding.explained} ${finding.table} ${finding.cause}`
      const before = kinds.get(kind) ?? 0
      kinds.set(kind, before + 1)
      if (before < OF_A_KIND_MAX) all.push(finding)
    },
    count(cause, records, minor) {
      explained[cause] ??= { records: 0, minor: {} }
      explained[cause].records += records
      addTo(explained[cause].minor, minor)
    },
    has: (table, key) => keys.has(keyText(table, key)),
  }
}

export function addTo(sums: Record<string, number>, more: Readonly<Record<string, number>>): void {
  for (const [currency, minor] of Object.entries(more)) if (minor !== 0) sums[currency] = (sums[currency] ?? 0) + minor
}

const keyText = (table: string, key: Readonly<Record<string, string | number>>): string =>
  JSON.stringify([table, Object.entries(key).sort(([a], [b]) => (a < b ? -1 : 1))])
