import { statement } from '../database/statement.ts'
import type { BatchParameters, StoredGroup } from './batch.ts'

/** Makes a batch durable; see commit_packets() in the migrations. */
export const commitPackets = statement<
  [...BatchParameters, packetTimeoutSeconds: number],
  StoredGroup
>(
  'commit_packets',
  `SELECT ordinal, outcome, prior::text, horizon, has_zero, created
   FROM commit_packets($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)`,
)

/** A row of `segments`. */
export type Segment = {
  readonly first_sequence: number
  readonly last_sequence: number
  readonly sequences: number[]
  readonly timestamps: number[]
  readonly sizes: number[]
  readonly payload: Buffer
}

/** The next segments of a track by their first sequence. */
export const readSegments = statement<
  [call: number, track: string, after: number, limit: number],
  Segment
>(
  'read_segments',
  `SELECT first_sequence, last_sequence, sequences, timestamps, sizes, payload
   FROM segments WHERE call = $1 AND track = $2::text::track_name AND first_sequence > $3
   ORDER BY first_sequence LIMIT $4`,
)
