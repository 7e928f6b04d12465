/** Random numbers from a seed (sfc32, Chris Doty-Humphrey's PractRand): the same seed gives the same sequence on every machine. */
export interface Random {
  /** In [0, 1). */
  next(): number
  /** A whole number in [0, below). */
  below(below: number): number
  between(min: number, max: number): number
  chance(probability: number): boolean
  /** exp of a normal variable with this mean and deviation. */
  logNormal(mu: number, sigma: number): number
  /** Waiting time until an event that happens every `mean` on average. */
  exponential(mean: number): number
}

export function createRandom(seed: number): Random {
  let a = seed | 0
  let b = Math.trunc(seed / 2 ** 32) | 0
  let c = 0x9e3779b9 | 0
  let counter = 1
  const next = (): number => {
    const sum = (((a + b) | 0) + counter) | 0
    counter = (counter + 1) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = ((c << 21) | (c >>> 11)) + sum
    c |= 0
    return (sum >>> 0) / 4294967296
  }
  for (let i = 0; i < 12; i++) next()
  return {
    next,
    below: (below) => Math.floor(next() * below),
    between: (min, max) => min + next() * (max - min),
    chance: (probability) => next() < probability,
    logNormal: (mu, sigma) =>
      Math.exp(mu + sigma * Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next())),
    exponential: (mean) => -Math.log(1 - next()) * mean,
  }
}
