import { randomInt } from 'node:crypto'
import type { TestContext } from 'node:test'
import { type Random, seededRandom } from '../../src/random.ts'

/** The randomness of a test. Its seed is printed with the test; TEST_SEED repeats a run. */
export function seededFor(t: TestContext): Random {
  const seed = Number(process.env.TEST_SEED ?? randomInt(2 ** 32))
  t.diagnostic(`TEST_SEED=${seed}`)
  return seededRandom(seed)
}
