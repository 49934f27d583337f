import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { MalformedJson, parseJson } from '../../src/border/json.ts'

function problemOf(body: Buffer | string): MalformedJson {
  try {
    parseJson(Buffer.from(body))
  } catch (error) {
    assert.ok(error instanceof MalformedJson)
    return error
  }
  return assert.fail('it was taken for JSON')
}

suite('a body that is JSON', () => {
  test('becomes its value', () => {
    const body = Buffer.from(' {"sequence":1,"data":"☎️ \\u0000","more":[null,{}]}\r\n')
    assert.deepEqual(parseJson(body), { sequence: 1, data: '☎️ \0', more: [null, {}] })
  })

  test('of a key written twice has the last value, as everywhere', () =>
    assert.deepEqual(parseJson(Buffer.from('{"a":1,"a":2}')), { a: 2 }))

  test('cannot reach the prototype of anything', () => {
    const value = parseJson(Buffer.from('{"__proto__":{"polluted":1}}')) as object
    assert.equal('polluted' in value, false)
    assert.equal(Object.getPrototypeOf(value), Object.prototype)
    assert.equal('polluted' in {}, false)
  })

  test('may nest 64 levels deep', () =>
    assert.ok(parseJson(Buffer.from('['.repeat(64) + ']'.repeat(64)))))

  test('that is empty is undefined: there is none', () =>
    assert.equal(parseJson(Buffer.alloc(0)), undefined))
})

suite('a body that is not JSON', () => {
  const cases: readonly (readonly [name: string, body: string, offset: number])[] = [
    ['ends too early', '{"sequence":1', 13],
    ['goes on too long', '{} x', 3],
    ['has a word that is none', '{"sequence":abc}', 12],
    ['is two values', '{}{}', 2],
    ['is a form', 'sequence=1&data=x', 0],
    ['is markup', '<packet/>', 0],
    ['has a comment', '{/* 1 */}', 1],
    ['begins with a byte order mark', '\ufeff{"sequence":1}', 0],
    ['is white space', ' \n', 2],
    ['has a text that does not end', '{"data":"open', 8],
    ['has half a word', '[tru', 1],
    ['has a comma too many', '{"sequence":1,}', 14],
    ['has a number with a zero in front', '{"sequence":01}', 13],
    ['goes on with a megabyte of nonsense', `{} ${'\\'.repeat(2 ** 20 - 3)}`, 3],
  ]
  for (const [name, body, offset] of cases)
    test(`and ${name} is told where: ${offset}`, () => {
      const problem = problemOf(body)
      assert.equal(problem.offset, offset)
      assert.equal(problem.message, 'The body is not valid JSON')
    })

  test('the offset counts characters as JavaScript does, not bytes', () =>
    assert.equal(problemOf('{"data":"äöü☎",x}').offset, 15))

  const notUtf8: readonly (readonly [name: string, bytes: number[]])[] = [
    ['a lone surrogate', [0xed, 0xa0, 0x80]],
    ['an overlong slash', [0xc0, 0xaf]],
    ['half a character', [0xc3]],
    ['Latin-1', [0xe9]],
    ['beyond Unicode', [0xf4, 0x90, 0x80, 0x80]],
  ]
  for (const [name, bytes] of notUtf8)
    test(`is what is no UTF-8: ${name}`, () => {
      const body = Buffer.concat([Buffer.from('{"data":"'), Buffer.from(bytes), Buffer.from('"}')])
      const problem = problemOf(body)
      assert.equal(problem.message, 'The body is not valid UTF-8')
      assert.equal(problem.offset, 0)
    })

  test('is UTF-16', () => {
    const body = Buffer.from('\ufeff{"sequence":1}', 'utf16le')
    assert.equal(problemOf(body).message, 'The body is not valid UTF-8')
  })

  for (const [name, body] of [
    ['right', '['.repeat(65) + ']'.repeat(65)],
    ['a megabyte of it', '['.repeat(2 ** 20)],
    ['in objects', '{"a":'.repeat(200_000)],
  ] as const)
    test(`is what nests deeper than 64 levels: ${name}`, () => {
      const problem = problemOf(body)
      assert.equal(problem.message, 'The body nests deeper than 64 levels')
      assert.equal(problem.offset, body.startsWith('[') ? 64 : 64 * 5)
    })

  test('never shows the text of the parser', () =>
    assert.doesNotMatch(problemOf('{"password":hunter2}').message, /hunter2|Unexpected/))
})
