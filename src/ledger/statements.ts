import { statement } from '../database/statement.ts'
import type { AppendParameters, CommitParameters, StoredGroup } from './batch.ts'
import type { JournalParameters } from './journal-entry.ts'
import type { TrackName } from './packet.ts'
import type { PacketsOfSegment } from './segment.ts'

/** Makes a batch durable; see commit_packets() in the migrations. */
export const commitPackets = statement<
  [...CommitParameters, packetTimeoutSeconds: number],
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
export const appendPackets = statement<[calls: string, ...AppendParameters], AppendedGroups>(
  'append_packets',
  `SELECT stored, ordinals, unusual
   FROM append_packets($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)`,
)

/** A row of `segments`. */
export type Segment = PacketsOfSegment & { readonly payload: Buffer }

/** The next segments of a track by their first sequence. */
export const readSegments = statement<
  [call: number, track: string, after: number, limit: number],
  Segment
>(
  'read_segments',
  `SELECT first_sequence, sequences, timestamps, sizes, payload
   FROM segments WHERE call = $1 AND track = $2::text::track_name AND first_sequence > $3
   ORDER BY first_sequence LIMIT $4`,
)

/** Opens a journal; see migration 011. */
export const openJournal = statement<[], { readonly id: number }>(
  'open_journal',
  'INSERT INTO journals DEFAULT VALUES RETURNING id',
)

/** A track that is given to a journal, and the sequence with which it goes on. */
export type HeldTrack = {
  readonly call: number
  readonly track: TrackName
  readonly next: number
}

/** Gives those tracks to a journal that can be; see hold_tracks() in the migrations. */
export const holdTracks = statement<
  [journal: number, calls: readonly number[], tracks: readonly TrackName[]],
  HeldTrack
>(
  'hold_tracks',
  'SELECT call, track::text, next FROM hold_tracks($1, $2::bigint[], $3::text[]::track_name[])',
)

/** Makes a batch durable in a journal; see append_to_journal() in the migrations. */
export const appendToJournal = statement<
  [journal: number, ...JournalParameters],
  { readonly stored: boolean; readonly lost: readonly number[] | null }
>(
  'append_to_journal',
  'SELECT stored, lost FROM append_to_journal($1, $2::text::packet_encoding, $3, $4, $5, $6, $7, $8, $9)',
)

/** Brings what is in a journal to the tracks and segments. */
export const settleJournal = statement<[journal: number], never>(
  'settle_journal',
  'SELECT settle_journal($1)',
)

/** Takes the tracks of calls away from their journals; that of `by` knows. */
export const releaseCalls = statement<[calls: readonly number[], by: number | null], never>(
  'release_calls',
  'SELECT release_calls($1::bigint[], $2)',
)

/** Settles a journal for the last time; `calls`: those of its tracks. */
export const closeJournal = statement<[journal: number, calls: readonly number[]], never>(
  'close_journal',
  'SELECT close_journal($1, $2::bigint[])',
)
