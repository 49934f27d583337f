// One-dimensional arrays as PostgreSQL's binary protocol has them: cheaper than text on both sides, where a batch
// has thousands of elements. The layout is that of array_send() and array_recv() in PostgreSQL's arrayfuncs.c. Pure.

/** The types of elements, and their numbers in `pg_type`. */
const types = { bytea: 17, int8: 20, int2: 21, float8: 701 }

const headBytes = 20

/** Safe integers as `bigint[]`. */
export function int8Array(values: readonly number[]): Buffer {
  const array = head('int8', values.length, 12 * values.length)
  let at = headBytes
  for (const value of values) {
    array.writeInt32BE(8, at)
    array.writeInt32BE(Math.floor(value / 2 ** 32), at + 4)
    array.writeUInt32BE(value >>> 0, at + 8)
    at += 12
  }
  return array
}

/** Integers of -32,768 to 32,767 as `smallint[]`. */
export function int2Array(values: readonly number[]): Buffer {
  const array = head('int2', values.length, 6 * values.length)
  let at = headBytes
  for (const value of values) {
    array.writeInt32BE(2, at)
    array.writeInt16BE(value, at + 4)
    at += 6
  }
  return array
}

/** Numbers as `float8[]`. */
export function float8Array(values: readonly number[]): Buffer {
  const array = head('float8', values.length, 12 * values.length)
  let at = headBytes
  for (const value of values) {
    array.writeInt32BE(8, at)
    array.writeDoubleBE(value, at + 4)
    at += 12
  }
  return array
}

/** Bytes as `bytea[]`. */
export function byteaArray(values: readonly Uint8Array[]): Buffer {
  let bytes = 0
  for (const { length } of values) bytes += 4 + length
  const array = head('bytea', values.length, bytes)
  let at = headBytes
  for (const value of values) {
    array.writeInt32BE(value.length, at)
    array.set(value, at + 4)
    at += 4 + value.length
  }
  return array
}

/** A buffer with what precedes the elements: dimensions, whether one is null, their type, their number, the first index. */
function head(type: keyof typeof types, length: number, bytes: number): Buffer {
  const array = Buffer.allocUnsafe(headBytes + bytes)
  array.writeInt32BE(1, 0)
  array.writeInt32BE(0, 4)
  array.writeInt32BE(types[type], 8)
  array.writeInt32BE(length, 12)
  array.writeInt32BE(1, 16)
  return array
}
