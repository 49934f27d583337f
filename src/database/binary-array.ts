// One-dimensional arrays as PostgreSQL's binary protocol has them: cheaper than text on both sides, where a batch
// has thousands of elements. The layout is that of array_send() and array_recv() in PostgreSQL's arrayfuncs.c. Pure.
import { type ByteRange, sizeOf } from '../byte-range.ts'

/** The types of elements, and their numbers in `pg_type`. */
const types = { bytea: 17, int8: 20, int2: 21, int4: 23, float8: 701 }

const headBytes = 20

/** Safe integers as `bigint[]`. */
export function int8Array(values: readonly number[]): Buffer {
  return numberArray('int8', 8, values, (array, value, at) => {
    array.setInt32(at, Math.floor(value / 2 ** 32))
    array.setUint32(at + 4, value >>> 0)
  })
}

/** Integers of 32 bits with a sign as `integer[]`. */
export function int4Array(values: readonly number[]): Buffer {
  return numberArray('int4', 4, values, (array, value, at) => array.setInt32(at, value))
}

/** Integers of 16 bits with a sign as `smallint[]`. */
export function int2Array(values: readonly number[]): Buffer {
  return numberArray('int2', 2, values, (array, value, at) => array.setInt16(at, value))
}

/** Numbers as `float8[]`. */
export function float8Array(values: readonly number[]): Buffer {
  return numberArray('float8', 8, values, (array, value, at) => array.setFloat64(at, value))
}

/** Bytes as `bytea[]`. */
export function byteaArray(values: readonly ByteRange[]): Buffer {
  let bytes = 0
  for (const value of values) bytes += 4 + sizeOf(value)
  const array = head('bytea', values.length, bytes)
  let at = headBytes
  for (const { memory, start, end } of values) {
    at = array.writeInt32BE(end - start, at)
    at += memory.copy(array, at, start, end)
  }
  return array
}

function numberArray(
  type: keyof typeof types,
  width: number,
  values: readonly number[],
  write: (array: DataView, value: number, at: number) => void,
): Buffer {
  const bytes = head(type, values.length, (4 + width) * values.length)
  const array = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  let at = headBytes
  for (const value of values) {
    array.setInt32(at, width)
    write(array, value, at + 4)
    at += 4 + width
  }
  return bytes
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
