import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import Type from 'typebox'
import {
  messageReader,
  parseMessage,
  readBase64,
  readCallId,
  readChoice,
  readTrack,
  readWhole,
} from '../../../src/intake/media/message.ts'
import { seededFor } from '../../support/seed.ts'

const violation = (message: string | RegExp) => ({ name: 'ProtocolViolation', message })

suite('a message', () => {
  test('is JSON, or the place is told where it stops being that', () => {
    assert.deepEqual(parseMessage('{"a":[1,"ü"]}'), { a: [1, 'ü'] })
    assert.throws(
      () => parseMessage('{"a":}'),
      violation('A message should be JSON, but is not at 5'),
    )
    assert.throws(() => parseMessage('['.repeat(65)), violation(/at 64$/))
    assert.throws(
      () => parseMessage('x', 'headers'),
      violation('headers should be JSON, but is not at 0'),
    )
  })

  test('keeps every character that can be stored, and none that cannot', () => {
    assert.equal(parseMessage('"\\ud83d\\ude00 \\u00fc \\\\u0000"'), '😀 ü \\u0000')
    assert.deepEqual(parseMessage('{"\\u0000":["\\ud800x",{"b":"\\u0000"}],"n":1,"t":null}'), {
      '\ufffd': ['\ufffdx', { b: '\ufffd' }],
      n: 1,
      t: null,
    })
  })

  test('cannot change what objects are', () => {
    const message = parseMessage('{"\\u005f_proto__":{"admin":true}}')
    assert.equal(Object.getPrototypeOf(message), Object.prototype)
  })

  test('of another shape is told by the field, and what came is cut short', () => {
    const read = messageReader(Type.Object({ a: Type.Object({ b: Type.String() }) }))
    assert.deepEqual(read({ a: { b: 'x' }, c: 1 }), { a: { b: 'x' }, c: 1 })
    assert.throws(() => read({ a: {} }), violation('a.b: Field required'))
    assert.throws(() => read({ a: 7 }), violation('a: Input should be a JSON object, but is 7'))
    assert.throws(() => read({ a: { b: ['x'] } }), violation(/^a\.b: .*, but is "an array of 1"$/))
    assert.throws(() => read(undefined), violation('message: A JSON object is required'))
  })
})

suite('base64', () => {
  test('is read whatever its bytes, padded or not', (t) => {
    const random = seededFor(t)
    for (let run = 0; run < 2_000; run += 1) {
      const bytes = Buffer.from(
        Array.from({ length: 1 + Math.floor(random() * 40) }, () => Math.floor(random() * 256)),
      )
      for (const text of [bytes.toString('base64'), bytes.toString('base64url')])
        assert.deepEqual(readBase64(text, 'x'), bytes)
    }
  })

  for (const text of [
    '',
    '=',
    '====',
    'A',
    'AAAAA',
    'AA=A',
    'A===',
    'AA==AA==',
    'AA A',
    'AAA!',
    'ÄÖÜß',
    '\n\n',
  ])
    test(`is not ${JSON.stringify(text)}`, () =>
      assert.throws(
        () => readBase64(text, 'media.payload'),
        violation(`media.payload should be audio in base64, but is ${JSON.stringify(text)}`),
      ))
})

suite('a whole number', () => {
  for (const value of [1, '1', '01', 10, '10'])
    test(`may be ${JSON.stringify(value)}`, () =>
      assert.equal(readWhole(value, 1, 10, 'n'), Number(value)))

  for (const value of [
    0,
    '0',
    11,
    '11',
    1.5,
    '1.5',
    '',
    ' 1',
    '1e1',
    '0x1',
    '-1',
    null,
    true,
    [1],
    Number.NaN,
    Number.POSITIVE_INFINITY,
    '9'.repeat(400),
  ])
    test(`from 1 to 10 is not ${String(value).slice(0, 10)}`, () =>
      assert.throws(
        () => readWhole(value, 1, 10, 'n'),
        violation(/^n should be a whole number from 1 to 10, but is /),
      ))

  test('is exact up to the largest', () => {
    const most = Number.MAX_SAFE_INTEGER
    assert.equal(readWhole(String(most), 0, most, 'n'), most)
    assert.throws(() => readWhole('9007199254740993', 0, most, 'n'), violation(/^n /))
  })
})

test('call ids, tracks and choices are told by where they stand', () => {
  assert.equal(readCallId('CA1', 'x'), 'CA1')
  assert.throws(
    () => readCallId('history', 'start.callSid'),
    violation(/^start\.callSid should match/),
  )
  assert.equal(readTrack('mixed', 'track'), 'mixed')
  for (const none of [null, undefined]) assert.equal(readTrack(none, 'track'), undefined)
  assert.throws(
    () => readTrack('', 'track'),
    violation(/^track should be one of inbound, outbound, mixed/),
  )
  assert.equal(readChoice('a', ['a', 'b'], 'x'), 'a')
  assert.throws(
    () => readChoice('c', ['a', 'b'], 'x'),
    violation('x should be one of a, b, but is "c"'),
  )
})
