/**
 * Runs the doctor's checks: families beside each other, the checks of one in order. Knows nothing of what they look at.
 *
 * Invariant: it ends by the deadline with a result for every check, whatever hangs: one that gave no answer by then is broken, and says so.
 */
import type { Clock } from '../../streams/time/clock.ts'
import type { Check, Family, Finding, Result } from './check.ts'

/** Saying goodbye must not take longer than asking. */
const CLOSE_MS = 1_000

export interface ExamineOptions {
  clock: Clock
  /** For all of it. */
  timeoutMs: number
  /** Called in the order of the families, each as soon as it and those before it are done. */
  onResult?(result: Result): void
}

export async function examine(
  families: readonly Family[],
  { clock, timeoutMs, onResult }: ExamineOptions,
): Promise<Result[]> {
  const ended = new AbortController()
  const late = clock.sleep(timeoutMs, ended.signal)
  try {
    const running = families.map((family) => examineFamily(family, late, clock, timeoutMs))
    const results: Result[] = []
    for (const family of running) {
      for (const result of await family) {
        results.push(result)
        onResult?.(result)
      }
    }
    return results
  } finally {
    ended.abort()
    await late
  }
}

async function examineFamily(
  { part, checks, close }: Family,
  late: Promise<void>,
  clock: Clock,
  timeoutMs: number,
): Promise<Result[]> {
  const results: Result[] = []
  let closedGate: string | null = null
  for (const check of checks) {
    if (closedGate !== null) {
      results.push({ part, name: check.name, status: 'unseen', ms: 0, seen: `needs "${closedGate}"` })
      continue
    }
    const result = await examineOne(part, check, late, clock, timeoutMs)
    results.push(result)
    if (check.gate && result.status !== 'ok' && result.status !== 'warning') closedGate = check.name
  }
  if (close) await goodbye(close, clock)
  return results
}

async function examineOne(
  part: string,
  { name, matters, remedy, run }: Check,
  late: Promise<void>,
  clock: Clock,
  timeoutMs: number,
): Promise<Result> {
  const startedMs = clock.now()
  const tooLate = late.then((): Finding => {
    throw new Error(`No answer within ${timeoutMs / 1000} s.`)
  })
  // The other one of the two is nobody's business any more.
  tooLate.catch(() => {})
  const answer = run()
  answer.catch(() => {})
  const measured = () => ({ part, name, ms: Math.round(clock.now() - startedMs) })
  try {
    const finding = await Promise.race([answer, tooLate])
    if (finding.status === 'ok') return { ...measured(), status: 'ok', seen: finding.seen }
    if (finding.status === 'unseen') return { ...measured(), status: 'unseen', seen: finding.why }
    const { problem } = finding
    return { ...measured(), status: 'warning', problem, matters, remedy: finding.remedy ?? remedy }
  } catch (error) {
    const { message, remedy: own } = error as Error & { remedy?: string }
    return { ...measured(), status: 'failed', problem: message, matters, remedy: own ?? remedy }
  }
}

async function goodbye(close: () => unknown, clock: Clock): Promise<void> {
  const done = new AbortController()
  const late = clock.sleep(CLOSE_MS, done.signal)
  // What is closed badly is open no longer than this process lives.
  await Promise.race([Promise.resolve().then(close), late]).catch(() => {})
  done.abort()
  await late
}
