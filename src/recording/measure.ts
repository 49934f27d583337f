// The first pass over a call: where its audio stands in time, from the metadata of its packets. What it keeps does
// not grow with the packets but by a line for every thousand.
import { createHash } from 'node:crypto'
import type { Queryable } from '../database/statement.ts'
import { alignTracks, type TrackBeginning } from '../ledger/track-alignment.ts'
import {
  type Gap,
  isLoss,
  type LayoutFormat,
  type LayoutState,
  TrackLayout,
} from '../ledger/track-layout.ts'
import { type Codec, findCodec } from './codecs.ts'
import { type PacketSelection, readRecordedPackets } from './recorded-packets.ts'
import { listRecordedTracks, type RecordedTrack } from './statements.ts'
import { parseTrackFormat, type TrackFormat } from './track-format.ts'

/** A place from which the second pass can start to decode. */
export type Checkpoint = {
  /** The layout in front of the packet that follows. */
  readonly layout: LayoutState
  /** The packet that follows. */
  readonly sequence: number
  /** Packets from here on settle the decoder. */
  readonly settle: number
  /** The first sequence of the segment to begin to read at. */
  readonly from: number
}

/** What the first pass found out about a track. */
export type MeasuredTrack = RecordedTrack & {
  /** `undefined`: what its packets hold is opaque. */
  readonly format: TrackFormat | undefined
  /** Samples a second; null: it cannot be decoded, so packets have no length and silences are in milliseconds. */
  readonly rate: number | null
  /** In the call, in seconds. */
  readonly start: number
  readonly samples: number
  readonly lostSamples: number
  /** The newest, in order of time; counted in full beside them. */
  readonly gaps: readonly Gap[]
  readonly gapsTotal: number
  readonly checkpoints: readonly Checkpoint[]
}

/** A call, measured. */
export type MeasuredCall = {
  /** Changes with everything that the audio of the call depends on, but for the roles of its tracks. */
  readonly state: string
  readonly tracks: readonly MeasuredTrack[]
  /** Of the tracks that can be decoded, in seconds. */
  readonly duration: number
}

/** Packets between two checkpoints: how much a jump into a recording may have to skip. */
export const packetsPerCheckpoint = 1_000
const mostGaps = 1_000

/** Packets that cannot be decoded have an order and no length; a sample is then a millisecond. */
const opaque: LayoutFormat = { rate: 1_000, clock: 'arrival' }

/** What {@link MeasuredCall.state} is for these tracks. */
export function stateOf(tracks: readonly RecordedTrack[]): string {
  const content = tracks.map(({ track, media_format, packets, silences, stream }) => [
    track,
    media_format,
    packets,
    silences,
    stream,
  ])
  return createHash('sha256').update(JSON.stringify(content)).digest('base64url').slice(0, 24)
}

/** Measures a call (by its `id`). */
export async function measureCall(db: Queryable, call: number): Promise<MeasuredCall> {
  const rows = await listRecordedTracks(db, call, true)
  const found: FoundTrack[] = []
  for (const row of rows) found.push(await measureTrack(db, call, row))
  const audible = found.filter(({ rate, packets }) => rate !== null && packets > 0)
  const starts = alignTracks(audible.map(({ beginning }) => beginning))
  const tracks = found.map((track) => ({ ...track, start: starts[audible.indexOf(track)] ?? 0 }))
  const ends = tracks.map(({ rate, start, samples }) =>
    rate === null ? 0 : start + samples / rate,
  )
  return { state: stateOf(rows), tracks, duration: Math.max(0, ...ends) }
}

type FoundTrack = Omit<MeasuredTrack, 'start'> & { readonly beginning: TrackBeginning }

async function measureTrack(db: Queryable, call: number, row: RecordedTrack): Promise<FoundTrack> {
  const format = parseTrackFormat(row.media_format)
  const codec = format && findCodec(format.encoding)
  const { rate, clock } = codec === undefined ? opaque : (format ?? opaque)
  const gaps: Gap[] = []
  let gapsTotal = 0
  let lostSamples = 0
  const layout = new TrackLayout({ rate, clock }, row.silences, (gap) => {
    gapsTotal += 1
    if (isLoss(gap.cause)) lostSamples += gap.samples
    gaps.push(gap)
    if (gaps.length >= 2 * mostGaps) gaps.splice(0, mostGaps)
  })
  const checkpoints: Checkpoint[] = []
  const preroll = codec?.preroll ?? 0
  const settling: Pick<Checkpoint, 'settle' | 'from'>[] = []
  let origin: number | undefined
  let packets = 0
  const selection: PacketSelection = {
    call,
    track: row.track,
    asOf: row.received_to ?? 0,
    payload: payloadToMeasure(codec),
  }
  for await (const { packets: ordered, from } of readRecordedPackets(db, selection))
    for (const { sequence, timestamp, size, payload } of ordered) {
      settling.push({ settle: sequence, from })
      if (settling.length > 1 + preroll) settling.shift()
      if (packets % packetsPerCheckpoint === 0)
        checkpoints.push({ layout: layout.state, sequence, settle: sequence, from, ...settling[0] })
      const samples =
        (payload === null ? codec?.samplesOfSize?.(size) : codec?.samplesOf(payload, rate)) ?? 0
      const start = layout.place({ sequence, timestamp, samples })
      origin ??= timestamp - start / rate
      packets += 1
    }
  layout.end()
  return {
    ...row,
    format,
    rate: codec === undefined ? null : rate,
    samples: layout.state.position,
    lostSamples,
    gaps: gaps.slice(-mostGaps),
    gapsTotal,
    checkpoints,
    beginning: {
      clock: clockOf(row, clock),
      origin: origin ?? 0,
      received: (row.received_from ?? 0) / 1_000_000,
    },
  }
}

/** Names the clock that a track's timestamps come from; what a client over HTTP calls a timestamp is its own. */
function clockOf({ track, stream }: RecordedTrack, clock: LayoutFormat['clock']): string {
  if (stream === null) return track
  return clock === 'arrival' ? clock : `stream ${stream}`
}

/** What a packet holds is needed where neither its size nor anything else tells how long it is. */
function payloadToMeasure(codec: Codec | undefined): PacketSelection['payload'] {
  if (codec === undefined) return 'none'
  return codec.samplesOfSize === undefined ? 'all' : 'text'
}
