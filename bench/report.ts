/** What a benchmark is, and the Markdown row that it gives. */
import type { ParseArgsConfig } from 'node:util'

export interface Row {
  benchmark: string
  /** Empty where there is none. */
  target: string
  result: string
  details: readonly string[]
}

export interface Benchmark {
  name: string
  options: NonNullable<ParseArgsConfig['options']>
  /** @param show takes each row as soon as it is measured. @throws Error where the results are wrong */
  run(
    options: Readonly<Record<string, string | boolean | (string | boolean)[] | undefined>>,
    show: (row: Row) => void,
  ): Promise<void>
}

/** What a benchmark needs is not to be had here: the message names it. Of several benchmarks, the others go on. */
export class BenchmarkUnavailable extends Error {
  override readonly name = 'BenchmarkUnavailable'
}

export const TABLE_HEAD = '| benchmark | target | result | details |\n| --- | --- | --- | --- |'

export const tableRow = ({ benchmark, target, result, details }: Row): string =>
  `| ${[benchmark, target, result, details.join('; ')].join(' | ')} |`

export const number = (n: number): string => Math.round(n).toLocaleString('en')
