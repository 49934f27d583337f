import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import fc from 'fast-check'
import { firstBadCharacter, tooDeepAt } from '../../src/http/json-faults.ts'

const cases: readonly (readonly [text: string, offset: number])[] = [
  ['', 0],
  ['   ', 3],
  ['x', 0],
  ['{', 1],
  ['{}', 2],
  ['{}}', 2],
  ['{},', 2],
  ['{"sequence":abc}', 12],
  ['{"sequence":1,}', 14],
  ['{"sequence":1 "data":2}', 14],
  ['{"sequence" 1}', 12],
  ['{sequence:1}', 1],
  ["{'sequence':1}", 1],
  ['{"a":"\n"}', 6],
  ['{"a":"\\x"}', 7],
  ['{"a":"\\u12G4"}', 10],
  ['{"a":"open', 10],
  ['{"a":"open\\', 11],
  ['[1,2', 4],
  ['[1,]', 3],
  ['[,1]', 1],
  ['[1}', 2],
  ['01', 1],
  ['-', 1],
  ['-x', 1],
  ['1.', 2],
  ['1.x', 2],
  ['1e', 2],
  ['1e+', 3],
  ['1e+x', 3],
  ['+1', 0],
  ['.5', 0],
  ['0x10', 1],
  ['tru', 3],
  ['trux', 3],
  ['truex', 4],
  ['NaN', 0],
  ['nul', 3],
  ['\ufeff{}', 0],
  ['\u00a0{}', 0],
  ['1 2', 2],
]

suite('where a text stops being JSON', () => {
  for (const [text, offset] of cases)
    test(`in ${JSON.stringify(text)} it is ${offset}`, () =>
      assert.equal(firstBadCharacter(text), offset))

  test('a megabyte of anything is read to its end', () => {
    const size = 2 ** 20
    for (const text of [
      '['.repeat(size),
      `"${'a'.repeat(size)}`,
      '\\'.repeat(size),
      '9'.repeat(size),
    ])
      assert.ok(firstBadCharacter(text) <= text.length)
  })
})

/** What V8 has against a text: nothing, that it ends, or something else. */
function judge(text: string): 'right' | 'ends too early' | 'wrong' {
  try {
    JSON.parse(text)
    return 'right'
  } catch (error) {
    const message = error instanceof Error ? error.message : ''
    const position = Number(/at position (\d+)/.exec(message)?.[1] ?? Number.NaN)
    const ends = /end of JSON input|^Unterminated string/.test(message) || position === text.length
    return ends ? 'ends too early' : 'wrong'
  }
}

function longestPrefixByTheParser(text: string): number {
  let length = text.length
  while (length > 0 && judge(text.slice(0, length)) === 'wrong') length -= 1
  return length
}

/** JSON in which a piece was replaced: mostly wrong, and nearly right. */
const damagedJson = fc
  .tuple(
    fc.json({ maxDepth: 4 }),
    fc.nat(),
    fc.nat({ max: 3 }),
    fc.oneof(
      fc.constantFrom('', '"', '\\', ',', ':', '[', ']', '{', '}', '0', '-', '.', 'e', 'u', '\n'),
      fc.constantFrom('true', 'null', '\\u00', '\\"', '1.5e+', ' ', '\u0001', 'é', '\ud800'),
      fc.string({ maxLength: 4 }),
    ),
  )
  .map(([text, place, removed, put]) => {
    const at = place % (text.length + 1)
    return text.slice(0, at) + put + text.slice(at + removed)
  })

test('the place is the one at which the parser itself gives up', () => {
  fc.assert(
    fc.property(damagedJson, (text) => {
      assert.equal(firstBadCharacter(text), longestPrefixByTheParser(text))
    }),
    { numRuns: 3000 },
  )
})

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
