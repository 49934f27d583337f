// Asterisk's chan_websocket: media in binary messages, events in text, plain or JSON as the dialplan says. Nothing is
// sent to it: SET_MEDIA_DIRECTION is unknown to releases before 22.10, and `d(in)` in the dialplan says the same.
// https://docs.asterisk.org/Configuration/Channel-Drivers/WebSocket/
import Type from 'typebox'
import type { MediaFormat } from '../../ledger/media-format.ts'
import { messageReader, parseMessage, readCallId, readTrack } from '../media/message.ts'
import {
  type MediaStream,
  type Peer,
  ProtocolViolation,
  type Receiver,
  type WebSocketProtocol,
} from '../media/protocol.ts'

const l16 = (rate: number): MediaFormat => ({ encoding: 'L16', rate })

/** By the names that Asterisk gives them. */
const formats = {
  ulaw: { encoding: 'PCMU', rate: 8_000 },
  alaw: { encoding: 'PCMA', rate: 8_000 },
  slin: l16(8_000),
  slin12: l16(12_000),
  slin16: l16(16_000),
  slin24: l16(24_000),
  slin32: l16(32_000),
  slin44: l16(44_100),
  slin48: l16(48_000),
  slin96: l16(96_000),
  slin192: l16(192_000),
  opus: { encoding: 'OPUS', rate: 48_000 },
  g722: { encoding: 'G722', rate: 16_000 },
} as const satisfies Record<string, MediaFormat>
const formatNames = Object.keys(formats) as (keyof typeof formats)[]

const readEvent = messageReader(Type.Object({ event: Type.String() }))
const readStart = messageReader(
  Type.Object({
    connection_id: Type.String({ minLength: 1, maxLength: 200 }),
    channel: Type.Optional(Type.String()),
    /** Not before Asterisk 20.18. */
    channel_id: Type.Optional(Type.String()),
    format: Type.Enum(formatNames),
    channel_variables: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
  }),
)
const readDtmf = messageReader(Type.Object({ digit: Type.String({ minLength: 1, maxLength: 1 }) }))
const readError = messageReader(Type.Object({ error_text: Type.String() }))

function connect(peer: Peer): Receiver {
  let stream: MediaStream | undefined

  function start(message: unknown): void {
    if (stream !== undefined) throw new ProtocolViolation('event: a second MEDIA_START came')
    const { connection_id, channel, channel_id, format, channel_variables } = readStart(message)
    const parameters = Object.fromEntries(peer.query)
    const variables = channel_variables ?? {}
    const given = { ...texts(variables), ...parameters }
    const callId = given.callId ?? given.call_id
    stream = peer.start({
      callId:
        callId === undefined
          ? readCallId(channel_id ?? connection_id, channel_id ? 'channel_id' : 'connection_id')
          : readCallId(callId, 'callId'),
      streamId: connection_id,
      format: formats[format],
      channels: [readTrack(given.track, 'track') ?? 'mixed'],
      loss: 'clock',
      metadata: { connection_id, channel, channel_id, parameters, variables },
    })
  }

  return {
    text: (text) => {
      const message = text.startsWith('{') ? parseMessage(text) : parsePlain(text)
      const { event } = readEvent(message)
      if (event === 'MEDIA_START') start(message)
      else if (event === 'DTMF_END') stream?.dtmf(readDtmf(message).digit)
      else if (event === 'ERROR') stream?.note('error', { text: readError(message).error_text })
    },
    // Sometimes the first audio comes before MEDIA_START (asterisk#1712).
    binary: (message) => (stream === undefined ? peer.keep(message) : stream.audio(message)),
  }
}

/** An event in plain text: `DTMF_END digit:5 channel_id:1763709610.7`. */
function parsePlain(text: string): unknown {
  const [event = '', ...fields] = text.trim().split(/ (?=[a-z_]+:\S)/)
  if (!/^[A-Z_]+( |$)/.test(event))
    throw new ProtocolViolation(
      `A message should be an event of Asterisk, but is ${JSON.stringify(text.slice(0, 60))}`,
    )
  const entries = fields.map((field) => {
    const colon = field.indexOf(':')
    return [field.slice(0, colon), field.slice(colon + 1)]
  })
  return { ...Object.fromEntries(entries), event: event.split(' ')[0] }
}

function texts(values: Readonly<Record<string, unknown>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(values).filter(
      (entry): entry is [string, string] => typeof entry[1] === 'string',
    ),
  )
}

/** Asterisk, by media over WebSocket. */
export const asterisk: WebSocketProtocol = { name: 'asterisk', connect }
