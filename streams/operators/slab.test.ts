import { describe, expect, it } from 'vitest'
import { Slab } from './slab.ts'

/** Records of text, by owner. */
function texts() {
  const places = new Map<number, number>()
  const slab = new Slab(
    (owner) => places.get(owner) ?? -1,
    (owner, place) => places.set(owner, place),
  )
  return {
    slab,
    places,
    put(owner: number, text: string): number {
      const name = Buffer.from(`name-${owner}`)
      const place = slab.append(owner, name, name.length, name.length, (into, at) =>
        into.write(text, at) === text.length ? at + text.length : -1,
      )
      places.set(owner, place)
      return place
    },
    drop(owner: number): void {
      slab.release(places.get(owner) as number)
      places.delete(owner)
    },
  }
}

describe('a slab', () => {
  it('overwrites what was released and keeps what is alive, in chunks that are full, free or being filled', () => {
    const { slab, places, put, drop } = texts()
    const released: number[] = []
    for (let owner = 0; owner < 6_000; owner++) put(owner, `value-${owner} ${'x'.repeat(80)}`)
    for (let owner = 0; owner < 6_000; owner++) {
      // A whole chunk of those at the beginning, every other one of those that follow.
      if (owner > 2_000 && owner % 2) continue
      released.push(places.get(owner) as number)
      drop(owner)
    }
    expect(released.some((place) => slab.value(place).includes('value-'))).toBe(true)
    slab.wipeHoles()
    for (const place of released) {
      expect(Buffer.concat([slab.name(place), slab.value(place)]).every((byte) => byte === 0)).toBe(true)
    }
    for (const [owner, place] of places) {
      expect(slab.name(place).toString()).toBe(`name-${owner}`)
      expect(slab.value(place).toString()).toBe(`value-${owner} ${'x'.repeat(80)}`)
    }
    // And goes on as before, also where it is rewritten.
    for (let owner = 10_000; owner < 16_000; owner++) put(owner, `value-${owner}`)
    for (const [owner, place] of places) expect(slab.value(place).toString()).toContain(`value-${owner}`)
  })
})
