/** For questions that take the edge a good while: a few at a time, others are asked to come again. */
import { Problem, retryAfter } from '../problem.ts'

/**
 * @param max how many run at once
 * @param refusal the sentence for the next one
 * @returns runs its argument. @throws Problem
 */
export function atOnce(max: number, refusal: string): <R>(work: () => Promise<R>) => Promise<R> {
  let running = 0
  return async (work) => {
    if (running >= max) throw new Problem('overloaded', refusal, { headers: retryAfter(2) })
    running++
    try {
      return await work()
    } finally {
      running--
    }
  }
}
