import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AudioPosition } from '../../../src/intake/protocols/genesys-position.ts'

test('nothing is missing while the positions are those of the samples that came', () => {
  const position = new AudioPosition(8000, 0)
  for (let frame = 1; frame <= 100; frame += 1) {
    assert.deepEqual(position.came(1600), [])
    position.reached(frame * 0.2, 'reported')
  }
})

test('what the client has passed and not sent is missing in front of the next audio, to the sample', () => {
  const position = new AudioPosition(8000, 0)
  position.came(1600)
  position.reached(0.2 + 800 / 8000, 'reported')
  assert.deepEqual(position.came(1600), [{ cause: 'reported', milliseconds: 100 }])
  position.reached(0.5 + 161 / 8000, 'reported')
  assert.deepEqual(position.came(1), [{ cause: 'reported', milliseconds: 20.125 }])
})

test('what is missing by several messages is one loss for each cause', () => {
  const position = new AudioPosition(8000, 0)
  position.reached(0.1, 'reported')
  position.reached(0.3, 'reported')
  position.reached(1.3, 'paused')
  position.reached(1.4, 'reported')
  assert.deepEqual(position.came(1600), [
    { cause: 'reported', milliseconds: 400 },
    { cause: 'paused', milliseconds: 1000 },
  ])
  assert.deepEqual(position.came(1600), [])
})

test('positions that are rounded, or behind, are no loss', () => {
  const position = new AudioPosition(8000, 0)
  position.came(1601)
  position.reached(0.2, 'reported')
  position.reached(0.201, 'reported')
  position.reached(0, 'reported')
  assert.deepEqual(position.came(1600), [])
})

test('a session that continues another one begins where it says', () => {
  const position = new AudioPosition(8000, 12.5)
  position.reached(12.5, 'reported')
  assert.deepEqual(position.came(1600), [])
})
