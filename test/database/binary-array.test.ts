// Arrays in PostgreSQL's binary protocol are what PostgreSQL reads them as.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { rangeOf } from '../../src/byte-range.ts'
import {
  byteaArray,
  float8Array,
  int2Array,
  int4Array,
  int8Array,
} from '../../src/database/binary-array.ts'
import { createDatabase } from '../support/database.ts'

test('every array arrives as it was written', async () => {
  await using database = await createDatabase()
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.maxSafeInteger()),
      fc.array(fc.integer()),
      fc.array(fc.integer({ min: -32_768, max: 32_767 })),
      fc.array(fc.double({ noNaN: true })),
      fc.array(fc.uint8Array({ maxLength: 300 })),
      async (large, integers, small, doubles, bytes) => {
        const { rows } = await database.pool.query(
          `SELECT $1::bigint[]::text[] AS large, $2::integer[] AS integers, $3::smallint[] AS small,
             $4::float8[] AS doubles, $5::bytea[] AS bytes`,
          [
            int8Array(large),
            int4Array(integers),
            int2Array(small),
            float8Array(doubles),
            byteaArray(bytes.map(rangeOf)),
          ],
        )
        assert.deepEqual(rows, [
          {
            large: large.map(String),
            integers,
            small,
            doubles,
            bytes: bytes.map((value) => Buffer.from(value)),
          },
        ])
      },
    ),
    { numRuns: 300 },
  )
})
