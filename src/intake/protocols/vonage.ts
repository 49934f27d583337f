// Vonage Voice API: the mix of a call over a WebSocket; the headers that the application has configured come flat in
// the first text. https://developer.vonage.com/en/voice/voice-api/concepts/websockets
import Type from 'typebox'
import { messageReader, parseMessage, readTrack } from '../media/message.ts'
import {
  type MediaStream,
  type Peer,
  ProtocolViolation,
  type Receiver,
  type WebSocketProtocol,
} from '../media/protocol.ts'
import { chooseCallId, firstOf, hearLinear } from './linear.ts'

const callIdNames = ['callId', 'call_id', 'uuid', 'conversation_uuid']
const Digit = Type.String({ pattern: '^[0-9*#A-D]$' })
const readEvent = messageReader(Type.Object({ event: Type.String() }))
const readConnected = messageReader(
  Type.Object({
    event: Type.Enum(['websocket:connected']),
    'content-type': Type.String({ pattern: '^audio/l16; ?rate=(8000|16000|24000)$' }),
    track: Type.Optional(Type.String()),
  }),
)
const readDtmf = messageReader(
  Type.Object({
    digit: Type.Optional(Digit),
    dtmf: Type.Optional(Type.Object({ digit: Digit })),
    duration: Type.Optional(Type.Number()),
  }),
)

function connect(peer: Peer): Receiver {
  return hearLinear(peer, {
    begin: (text) => {
      if (text === undefined)
        throw new ProtocolViolation('Audio came, but no websocket:connected before it')
      const message = readConnected(parseMessage(text))
      const { event, 'content-type': contentType, ...headers } = message
      const { callId, isDrawn } = chooseCallId(firstOf(headers, callIdNames), 'vonage')
      return {
        callId,
        rate: Number(contentType.split('=')[1]),
        channels: [readTrack(message.track, 'track') ?? 'mixed'],
        metadata: headers,
        ...(isDrawn ? { assumed: { call_id: callId } } : {}),
      }
    },
    patience: 'for ever',
    hear,
  })
}

function hear(stream: MediaStream, text: string): void {
  const message = parseMessage(text)
  if (readEvent(message).event !== 'websocket:dtmf') return
  const { digit, dtmf, duration } = readDtmf(message)
  const pressed = digit ?? dtmf?.digit
  if (pressed === undefined) throw new ProtocolViolation('digit: Field required')
  stream.dtmf(pressed, duration === undefined ? {} : { duration })
}

/** Vonage Voice API. */
export const vonage: WebSocketProtocol = { name: 'vonage', connect }
