import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bufferMebibytes } from '../../../src/database/embedded/parameters.ts'

const gibibyte = 2 ** 30

test('the server caches a sixteenth of the memory, but not less than usual nor more than a GiB', () => {
  const memories = [0, 1, 2, 8, 16, 64].map((gibibytes) => gibibytes * gibibyte)
  assert.deepEqual(memories.map(bufferMebibytes), [128, 128, 128, 512, 1_024, 1_024])
  assert.equal(bufferMebibytes(4 * gibibyte + 12_345), 256, 'in whole MiB')
})
