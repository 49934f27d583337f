import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  isSignedWith,
  parseSignature,
  signatureBase,
} from '../../../src/intake/protocols/http-signature.ts'

test('the vector of the draft gives its text and its signature', () => {
  const key = Buffer.from(
    'uzvJfB4u3N0Jy4T7NZ75MDVcr8zSTInedJtkgcu46YW4XByzNJjxBdtjUkdJPBtbmHhIDi6pcl8jsasjlTMtDQ==',
    'base64',
  )
  const parts = new Map([
    ['date', 'Tue, 20 Apr 2021 02:07:55 GMT'],
    ['@authority', 'example.com'],
    ['content-type', ' application/json '],
  ])
  const signed = parseSignature(
    'sig-b25=("date" "@authority" "content-type");created=1618884473;keyid="test-shared-secret"',
    'sig-b25=:pxcQw6G3AjtMBQjwo8XzkZf/bws5LelbaMk5rGIGtE8=:',
  )
  assert.ok(signed)
  assert.deepEqual(signed.components, ['date', '@authority', 'content-type'])
  assert.deepEqual(signed.parameters, { created: 1618884473, keyid: 'test-shared-secret' })
  const base = signatureBase(signed, (name) => parts.get(name))
  assert.equal(
    base,
    '"date": Tue, 20 Apr 2021 02:07:55 GMT\n"@authority": example.com\n' +
      '"content-type": application/json\n"@signature-params": ' +
      '("date" "@authority" "content-type");created=1618884473;keyid="test-shared-secret"',
  )
  assert.ok(isSignedWith(key, base ?? '', signed.signature))
  assert.ok(!isSignedWith(Buffer.from('other'), base ?? '', signed.signature))
  assert.ok(!isSignedWith(key, base ?? '', signed.signature.subarray(1)))
})

test('headers of any kind, as long as they can be, are refused without an end of the process', () => {
  for (const part of ['(', '"', ' ', ';a=', '"a"', '\\', ';a="', ':', '=:', 'sig1=('])
    for (const start of ['', 'sig1=(', 'sig1=("a");a="']) {
      const text = start + part.repeat(16_000 / part.length)
      assert.equal(parseSignature(text, text), undefined)
      assert.equal(parseSignature('sig1=("a");keyid="b"', text), undefined)
    }
})
