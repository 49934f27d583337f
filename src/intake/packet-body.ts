// A packet as JSON, in and out: what it must look like, and what its sender is told.
import Type, { type Static } from 'typebox'
import { rangeOf } from '../byte-range.ts'
import { callIdPattern } from '../calls/call-id.ts'
import { encodings, type MediaFormat } from '../ledger/media-format.ts'
import {
  isIrregular,
  type Packet,
  type PacketReceipt,
  type TrackName,
  trackNames,
} from '../ledger/packet.ts'

export const TrackField = Type.Enum(trackNames, {
  type: 'string',
  description: 'Whose voice it is: customer, agent or bot, both',
})

/** The query of a request or socket that sends packets. */
export const PacketQuery = Type.Object({
  track: Type.Optional(TrackField),
  encoding: Type.Optional(
    Type.Enum(encodings, {
      type: 'string',
      description: 'How the audio is coded; without it, packets are opaque',
    }),
  ),
  rate: Type.Optional(
    Type.Integer({
      minimum: 8_000,
      maximum: 192_000,
      default: 8_000,
      description: 'Samples a second, with `encoding`',
    }),
  ),
})

/** The format that a query declares. */
export function declaredFormat(query: Static<typeof PacketQuery>): MediaFormat | undefined {
  const { encoding, rate = 8_000 } = query
  return encoding === undefined ? undefined : { encoding, rate }
}

const fields = {
  sequence: Type.Integer({
    minimum: 0,
    maximum: Number.MAX_SAFE_INTEGER,
    description: "The packet's number in its track",
  }),
  data: Type.String({
    minLength: 1,
    format: 'unicode',
    description: 'The audio in base64, or any other text; it is kept as it comes',
  }),
  timestamp: Type.Number({
    exclusiveMinimum: 0,
    description: "The sender's clock, in the sender's unit",
  }),
}

const examples = [{ sequence: 1, data: 'audio_chunk_1', timestamp: 1732147200.02 }]

/** A packet that comes alone. Unknown fields are ignored. */
export const PacketBody = Type.Object(fields, { title: 'Packet', examples })

/** A packet of a stream, which may name its track and call. */
export const StreamedPacketBody = Type.Object(
  {
    ...fields,
    track: Type.Optional(TrackField),
    call_id: Type.Optional(Type.String({ pattern: callIdPattern })),
  },
  { title: 'StreamedPacket', examples },
)

/** A body of JSON: a packet, or several. */
export const PacketOrPackets = Type.Union([PacketBody, Type.Array(StreamedPacketBody)], {
  examples,
})

/** A packet that was found to be one. */
export type PacketFields = {
  readonly sequence: number
  readonly data: string
  readonly timestamp: number
}

/** A packet of a stream that was found to be one. */
export type StreamedPacketFields = PacketFields & {
  readonly track?: TrackName
  readonly call_id?: string
}

/** The packet for the ledger. */
export function packetOf(
  callId: string,
  track: TrackName,
  { sequence, data, timestamp }: PacketFields,
): Packet {
  return {
    callId,
    track,
    // -0 is a number of JSON and the same packet as 0.
    sequence: sequence + 0,
    timestamp,
    encoding: 'text',
    ...rangeOf(Buffer.from(data)),
  }
}

/** The answer to a packet that came alone. */
export const PacketReply = Type.Object(
  {
    call_id: Type.String(),
    sequence: Type.Integer(),
    status: Type.Enum(['accepted', 'accepted_with_warning'], { type: 'string' }),
    received_at: Type.String({ format: 'date-time' }),
    message: Type.String(),
    duplicate: Type.Boolean({
      description: 'The sequence was stored before; the first one counts',
    }),
    late: Type.Boolean({ description: 'A higher sequence was stored before' }),
    missing_packets: Type.String({
      description: 'What the track misses as of this packet; of more than 100 gaps the newest',
    }),
  },
  { title: 'PacketAccepted' },
)

/** The answer to a packet, as JSON: none of its texts needs to be escaped. */
export function packetReply(
  { callId, sequence }: Pick<Packet, 'callId' | 'sequence'>,
  receipt: PacketReceipt,
  receivedAt: string,
): string {
  const status = isIrregular(receipt) ? 'accepted_with_warning' : 'accepted'
  return (
    `{"call_id":"${callId}","sequence":${sequence},"status":"${status}",` +
    `"received_at":"${receivedAt}","message":"Packet ${sequence} received successfully",` +
    `"duplicate":${receipt.duplicate},"late":${receipt.late},` +
    `"missing_packets":"${receipt.missing}"}`
  )
}
