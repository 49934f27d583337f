import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import fc from 'fast-check'
import { tooDeepAt } from '../../src/border/json-depth.ts'

suite('nesting', () => {
  const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth)

  test('up to the limit is nothing to remark on', () => {
    assert.equal(tooDeepAt(nested(64), 64), undefined)
    assert.equal(tooDeepAt(`[${nested(63)},${nested(63)}]`, 64), undefined)
  })

  test('beyond it is found at its bracket', () => {
    assert.equal(tooDeepAt(nested(65), 64), 64)
    assert.equal(tooDeepAt('{"a":'.repeat(65), 64), 64 * 5)
  })

  test('brackets in strings do not count, whatever is escaped around them', () => {
    for (const text of [
      JSON.stringify('['.repeat(100)),
      JSON.stringify({ data: '"[{\\'.repeat(100) }),
      JSON.stringify(['\\', '['.repeat(100)]),
      '"\\\\\\"[[[[',
    ])
      assert.equal(tooDeepAt(text, 3), undefined, text)
    assert.equal(tooDeepAt('"\\\\"[[[[', 3), 7)
  })

  test('is what a parser would find', () => {
    const depthOf = (value: unknown): number =>
      typeof value === 'object' && value !== null
        ? 1 + Math.max(0, ...Object.values(value).map(depthOf))
        : 0
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 6 }), fc.nat({ max: 6 }), (value, deepest) => {
        const found = tooDeepAt(JSON.stringify(value), deepest) !== undefined
        assert.equal(found, depthOf(value) > deepest)
      }),
      { numRuns: 1000 },
    )
  })
})
