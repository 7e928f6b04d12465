/** How far a file is done without a gap: the line up to which every row is settled, though they settle out of order. */
export class Acknowledged {
  /** Every row up to and including this line is settled. */
  line: number
  #open: number[] = []
  #head = 0
  readonly #settled = new Set<number>()

  constructor(line: number) {
    this.line = line
  }

  /** Rows begin in the order of their lines. */
  begin(line: number): void {
    this.#open.push(line)
  }

  settle(line: number): void {
    this.#settled.add(line)
    while (this.#head < this.#open.length && this.#settled.delete(this.#open[this.#head]!))
      this.line = this.#open[this.#head++]!
    if (this.#head > 1024 && this.#head * 2 > this.#open.length) {
      this.#open = this.#open.slice(this.#head)
      this.#head = 0
    }
  }
}
