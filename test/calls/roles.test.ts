// What a swap of the roles makes of a result.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { resultAsSeen } from '../../src/calls/roles.ts'

const result = {
  transcription: 'Customer: Hello.\nAgent: Good day, Customer: how are you?\nCustomer: Fine.',
  sentiment: 'positive',
  summary: 'The customer said: “Hello.”',
}

test('without a swap a result is what the analysis made', () =>
  assert.deepEqual(resultAsSeen(result, false), result))

test('a swap exchanges who speaks each line, and nothing that is said', () =>
  assert.equal(
    resultAsSeen(result, true).transcription,
    'Agent: Hello.\nCustomer: Good day, Customer: how are you?\nAgent: Fine.',
  ))

test('a summary of the wrong person is not shown', () =>
  assert.equal(resultAsSeen(result, true).summary, null))

for (const transcription of ['thank you, that is wonderful', '[no audio]', '', null])
  test(`a result that names nobody stays as it is: ${transcription}`, () => {
    const plain = { ...result, transcription }
    assert.deepEqual(resultAsSeen(plain, true), plain)
  })
