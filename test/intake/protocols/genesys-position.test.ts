import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AudioPosition } from '../../../src/intake/protocols/genesys-position.ts'

test('nothing is missing while the positions are those of the samples that came', () => {
  const position = new AudioPosition(8000, 0)
  for (let frame = 1; frame <= 100; frame += 1) {
    position.came(1600)
    assert.equal(position.reached(frame * 0.2), 0)
  }
})

test('what the client has passed and not sent is missing once, to the sample', () => {
  const position = new AudioPosition(8000, 0)
  position.came(1600)
  assert.equal(position.reached(0.2 + 800 / 8000), 100)
  assert.equal(position.reached(0.2 + 800 / 8000), 0)
  position.came(1600)
  assert.equal(position.reached(0.5 + 161 / 8000), 20.125)
})

test('positions that are rounded, or behind, are no loss', () => {
  const position = new AudioPosition(8000, 0)
  position.came(1601)
  for (const told of [0.2, 0.201, 0]) assert.equal(position.reached(told), 0)
})

test('a session that continues another one begins where it says', () => {
  const position = new AudioPosition(8000, 12.5)
  assert.equal(position.reached(12.5), 0)
  assert.equal(position.reached(12.6), 100)
})
