import { statement } from '../database/statement.ts'
import type { PacketParameters, StoredGroup } from './batch.ts'

/** Makes a batch durable; see commit_packets() in the migrations. */
export const commitPackets = statement<
  [callIds: string, ...PacketParameters, packetTimeoutSeconds: number],
  StoredGroup
>(
  'commit_packets',
  `SELECT ordinal, outcome, prior::text, horizon, has_zero, created, call
   FROM commit_packets($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)`,
)

/** What append_packets() says of a batch. */
export type AppendedGroups = {
  /** How many groups were stored; nothing was done for the others. */
  readonly stored: number
  /** Which, from 1; null: all. */
  readonly ordinals: readonly number[] | null
  /** Those that were stored and are not simply the next packets of a track without a hole. */
  readonly unusual:
    | readonly [ordinal: number, prior: string, horizon: number, has_zero: boolean][]
    | null
}

/** Makes those groups of a batch durable that go on where their track ends; see append_packets() in the migrations. */
export const appendPackets = statement<[calls: string, ...PacketParameters], AppendedGroups>(
  'append_packets',
  `SELECT stored, ordinals, unusual
   FROM append_packets($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)`,
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
