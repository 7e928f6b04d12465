/**
 * The order in which Vitest begins the files of a run: those that take longest first, so that none of them is left over for one core at the end. Vitest's own order goes
 * by a file's size where no run went before, as in a fresh clone, and a short file may test for minutes.
 */
import { BaseSequencer, type TestSpecification } from 'vitest/node'

/** Of a whole run on two cores, the longest first; all others take less than a minute. */
const LONG = [
  'workflows/definitions/daily-aggregation',
  'tests/kill',
  'tests/cli',
  'tests/trace-workflows',
  'workflows/durability',
  'edge/schemathesis',
  'tests/erasure',
  'db/lake/trino',
  'tests/foreign-topics',
  'db/trino/trino',
  'tests/dashboard',
  'workflows/imports/import-rows',
  'tests/real-files',
  'tests/up-cluster',
  'db/lake/kill',
  'tests/cluster',
  'tests/cluster-faults',
  'workflows/definitions/validate-quality',
  'tests/workflows',
  'tests/image',
  'tests/cluster-burst',
  'db/models/checks/run',
  'edge/iceberg/pyiceberg',
  'db/postgres/server',
  'streams/lake-writer/crash',
  'workflows/reconciliation/trino',
  'db/models/trino',
  'tests/prometheus',
  'cli/doctor/doctor',
  'tests/erasure-kills',
  'tests/abuse',
  'tests/backup',
]

export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rankOf = ({ moduleId }: TestSpecification): number => {
      const at = LONG.findIndex((path) => moduleId.endsWith(`/${path}.system.test.ts`))
      return at === -1 ? LONG.length : at
    }
    return (await super.sort(files)).sort((a, b) => rankOf(a) - rankOf(b))
  }
}
