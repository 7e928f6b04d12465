/** One piece of work at a time, in the order in which it was asked for. */
export type InTurn = <R>(work: () => Promise<R>) => Promise<R>

/** Work that fails holds up nothing behind it. */
export function createTurns(): InTurn {
  let turn: Promise<unknown> = Promise.resolve()
  return (work) => {
    const result = turn.then(work)
    turn = result.catch(() => undefined)
    return result
  }
}
