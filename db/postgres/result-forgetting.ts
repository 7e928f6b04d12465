/**
 * Which result rows are a forgotten person's, and what stays of them: the rule that PostgreSQL and the in-memory store share. Pure: no database here.
 *
 * Invariants: what is left of a row holds nothing that tells of the person, and everything that sums over many are made of; doing it again, after a replay has brought
 * the row back, gives the same.
 */
import { standInOf } from '../../streams/contract/erasure.ts'
import {
  PERSONAL_TABLES,
  type PersonalTable,
  type ResultRows,
  type ResultTable,
  WITHOUT_PERSON,
} from '../../streams/contract/results.ts'
import type { ForgottenSubject } from '../../streams/runtime/ports.ts'
import { cleanText } from './result-version.ts'

export const isPersonal = (table: ResultTable): table is PersonalTable => Object.hasOwn(PERSONAL_TABLES, table)

/** Those whose rows the table may have: positions of other topics mean nothing to it. Ids as the store writes them. */
export const forgottenIn = (table: PersonalTable, forgotten: readonly ForgottenSubject[]): ForgottenSubject[] =>
  forgotten
    .filter(({ topic }) => topic === PERSONAL_TABLES[table])
    .map((subject) => ({ ...subject, subjectId: cleanText(subject.subjectId) }))

/** Whether the row is of the time before the person was to be forgotten. */
export const isOf = (row: ResultRows[PersonalTable], { subjectId, partition, position }: ForgottenSubject): boolean =>
  row.user_id === subjectId && row.partition === partition && row.position < position

export const withoutPerson = <T extends PersonalTable>(
  table: T,
  row: ResultRows[T],
  subject: ForgottenSubject,
): ResultRows[T] => WITHOUT_PERSON[table](row, standInOf({ ...subject, offset: subject.position }), subject.position)
