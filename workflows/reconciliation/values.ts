/** Values of SQL results as the readers of events take them. */
import type { SqlValue } from '../../db/lake/index.ts'
import { msOfText } from '../../streams/shadow/index.ts'

/** Of an instant's ISO text. */
export const microsOfText = (text: SqlValue | undefined): number => msOfText(text) * 1_000
