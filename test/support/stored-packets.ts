import type { Pool } from '../../src/database/pool.ts'

/** A packet as it lies in the table `segments`. */
export type StoredPacket = {
  readonly track: string
  readonly sequence: number
  readonly timestamp: number
  readonly data: Buffer
}

type Row = {
  readonly track: string
  readonly sequences: number[]
  readonly timestamps: number[]
  readonly sizes: number[]
  readonly payload: Buffer
}

/** Columns of `segments` with lists of sequences and sizes, also of segments that do without. */
export const listedColumns = `coalesce(sequences, ARRAY(SELECT generate_series(first_sequence, last_sequence)))
    AS sequences, timestamps,
  CASE WHEN cardinality(sizes) = 1 THEN array_fill(sizes[1], ARRAY[cardinality(timestamps)]) ELSE sizes END
    AS sizes, payload`

/** All packets of a call, read from the table itself and by nothing of the product, sorted by sequence. */
export async function storedPackets(pool: Pool, callId: string): Promise<StoredPacket[]> {
  await pool.query('SELECT settle_journals()')
  const { rows } = await pool.query<Row>(
    `SELECT track::text, ${listedColumns} FROM segments
     WHERE call = (SELECT id FROM calls WHERE call_id = $1)`,
    [callId],
  )
  return rows.flatMap(unpack).sort((a, b) => a.sequence - b.sequence)
}

function unpack({ track, sequences, timestamps, sizes, payload }: Row): StoredPacket[] {
  let start = 0
  return sequences.map((sequence, index) => {
    const end = start + (sizes[index] ?? 0)
    const data = payload.subarray(start, end)
    start = end
    return { track, sequence, timestamp: timestamps[index] ?? Number.NaN, data }
  })
}
