import assert from 'node:assert/strict'
import { test } from 'node:test'
import { redactDtmf } from '../../../src/analysis/redaction/dtmf.ts'

test('the digits of a key event are masked or removed, and the rest of it stays', () => {
  const event = { event: 'dtmf', track: 'inbound', digit: '7' }
  assert.deepEqual(redactDtmf(event, 'mask'), { ...event, digit: 'x' })
  assert.deepEqual(redactDtmf(event, 'remove'), { ...event, digit: '' })
  assert.equal(redactDtmf(event, 'off'), event)
  assert.deepEqual(redactDtmf({ digit: '12#*A' }, 'mask'), { digit: 'xx#*A' })
})
