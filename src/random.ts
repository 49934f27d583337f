// Randomness as an argument: everything that draws takes a `Random`, so that a test, a demo or a failed run
// can be repeated from its seed.

/** Returns the next number of a sequence, uniformly from [0, 1). */
export type Random = () => number

/**
 * A small, fast, seedable generator (mulberry32, by Tommy Ettinger, public domain); not for secrets.
 * @param seed a whole number from 0 to 2^32 - 1
 */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** A 32-bit hash of a text (FNV-1a), to derive the seed of one call from a common one. */
export function hashText(text: string): number {
  let hash = 0x811c9dc5
  for (let index = 0; index < text.length; index += 1)
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193)
  return hash >>> 0
}
