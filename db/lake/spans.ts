/** Spans of what is done to the lake's tables, under an activity or a commit round that is recorded: `lake <operation> <table>`. */
import { childSpan, type SpanOptions } from '../../observability/spans.ts'
import { type TableName, tableText } from './catalog/catalog.ts'

export type LakeOperation = 'commit' | 'scan' | 'compact' | 'expire' | 'orphans' | 'erase'

/** @param table where it is not known, the span has the operation alone */
export const lakeSpanOf = (
  operation: LakeOperation,
  table: TableName | undefined,
): [name: string, options: SpanOptions] => [
  table ? `lake ${operation} ${tableText(table)}` : `lake ${operation}`,
  {
    attributes: {
      'streamforge.lake.operation': operation,
      ...(table && { 'streamforge.lake.table': tableText(table) }),
    },
  },
]

export const lakeSpan = <T>(operation: LakeOperation, table: TableName, work: () => Promise<T>): Promise<T> =>
  childSpan(...lakeSpanOf(operation, table), work)
