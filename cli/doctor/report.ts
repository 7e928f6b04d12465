/** The doctor's results as a person reads them: a line for what is well, four for what is not. */
import { counted } from '../human.ts'
import type { Result } from './check.ts'

const MARKS: Record<Result['status'], string> = { ok: '✓', warning: '!', failed: '✗', unseen: '–' }
const PART_WIDTH = 10
const NAME_WIDTH = 46

export function resultText({ part, name, status, ms, seen, problem, matters, remedy }: Result): string {
  const head = `${MARKS[status]} ${part.padEnd(PART_WIDTH)} `
  if (status === 'unseen') return `${head}${name === '' ? '' : `${name}: `}${seen}\n`
  if (status === 'ok')
    return `${`${head}${name.padEnd(NAME_WIDTH)} ${String(ms).padStart(5)} ms   ${seen}`.trimEnd()}\n`
  return `${head}${name}\n    what    ${problem}\n    matters ${matters}\n    do      ${remedy}\n`
}

export function summaryText(results: readonly Result[]): string {
  const count = (wanted: Result['status']): number => results.filter(({ status }) => status === wanted).length
  const [failed, warnings, unseen] = [count('failed'), count('warning'), count('unseen')]
  const rest = unseen === 0 ? '' : ` ${counted(unseen, 'thing')} could not be seen from here.`
  if (failed === 0 && warnings === 0) return `Every part that was seen works.${rest}\n`
  const found = [
    ...(failed > 0 ? [`${failed} broken`] : []),
    ...(warnings > 0 ? [counted(warnings, 'warning')] : []),
  ].join(', ')
  return `${found}.${rest}\n`
}
