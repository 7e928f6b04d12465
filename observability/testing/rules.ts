/** Prometheus' rules as the files have them, and the names that an expression of PromQL asks for. */
import { readFile } from 'node:fs/promises'
import { parse } from 'yaml'
import { promiseOf } from '../metrics-contract.ts'

export const PROMETHEUS = new URL('../prometheus/', import.meta.url)
export const ALERTMANAGER = new URL('../alertmanager/alertmanager.yml', import.meta.url)

export interface RecordingRule {
  record: string
  expr: string
}
export interface AlertRule {
  alert: string
  expr: string
  for?: string
  labels: { severity: string }
  annotations: Record<string, string>
}
interface RuleFile<R> {
  groups: { name: string; rules: R[] }[]
}

const read = async <R>(file: string): Promise<R[]> =>
  (parse(await readFile(new URL(file, PROMETHEUS), 'utf8')) as RuleFile<R>).groups.flatMap(({ rules }) => rules)

export const recordingRules = (): Promise<RecordingRule[]> => read('rules/recording.yml')
export const alertRules = (): Promise<AlertRule[]> => read('rules/alerts.yml')

/** Names of metrics, ours and those of Node and the process: what else stands in an expression are functions and labels. */
export const metricsIn = (expr: string): string[] => [
  ...new Set(expr.replace(/"[^"]*"/g, '""').match(/\b(?:streamforge|process|nodejs)[_:][a-zA-Z0-9_:]*/g) ?? []),
]

/** @returns those that neither the contract nor a recording rule knows */
export function unknownMetrics(expr: string, recorded: readonly RecordingRule[]): string[] {
  return metricsIn(expr).filter((name) => !promiseOf(name) && !recorded.some(({ record }) => record === name))
}
