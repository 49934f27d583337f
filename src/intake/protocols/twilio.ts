// Twilio Media Streams: JSON text messages; both tracks of a call on one connection, each with numbers of its own.
// https://www.twilio.com/docs/voice/media-streams/websocket-messages
import { createHmac, timingSafeEqual } from 'node:crypto'
import Type from 'typebox'
import { messageReader, parseMessage, readBase64, readCallId } from '../media/message.ts'
import {
  type MediaSecrets,
  type MediaStream,
  type Peer,
  ProtocolViolation,
  type Receiver,
  type Upgrade,
  type WebSocketProtocol,
} from '../media/protocol.ts'

// All numbers come in strings.
const Count = Type.String({ pattern: '^[0-9]{1,15}$' })
const readEvent = messageReader(Type.Object({ event: Type.String() }))
const readStart = messageReader(
  Type.Object({
    start: Type.Object({
      streamSid: Type.String({ minLength: 1, maxLength: 200 }),
      callSid: Type.String(),
      accountSid: Type.Optional(Type.String()),
      tracks: Type.Array(Type.Enum(['inbound', 'outbound']), { minItems: 1, maxItems: 2 }),
      customParameters: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
      mediaFormat: Type.Object({
        encoding: Type.Enum(['audio/x-mulaw']),
        sampleRate: Type.Enum([8000]),
        channels: Type.Enum([1]),
      }),
    }),
  }),
)
const readMedia = messageReader(
  Type.Object({
    media: Type.Object({
      track: Type.Enum(['inbound', 'outbound']),
      chunk: Count,
      timestamp: Count,
      payload: Type.String(),
    }),
  }),
)
const readDtmf = messageReader(
  Type.Object({
    dtmf: Type.Object({ digit: Type.String(), track: Type.Optional(Type.String()) }),
  }),
)

function connect(peer: Peer): Receiver {
  let stream: MediaStream | undefined

  function start(message: unknown): void {
    const { start } = readStart(message)
    const { callId, call_id, ...parameters } = start.customParameters ?? {}
    const chosen = callId ?? call_id
    stream = peer.start({
      callId:
        typeof chosen === 'string'
          ? readCallId(chosen, 'start.customParameters.callId')
          : readCallId(start.callSid, 'start.callSid'),
      streamId: start.streamSid,
      format: { encoding: 'PCMU', rate: 8_000 },
      channels: start.tracks,
      loss: 'numbers',
      metadata: { callSid: start.callSid, accountSid: start.accountSid, parameters },
    })
  }

  function media(message: unknown): void {
    const { track, chunk, timestamp, payload } = readMedia(message).media
    if (stream === undefined) throw new ProtocolViolation('event: media came before start')
    stream.packet({
      track,
      number: Number(chunk),
      at: Number(timestamp) / 1_000,
      payload: readBase64(payload, 'media.payload'),
    })
  }

  return {
    text: (text) => {
      const message = parseMessage(text)
      const { event } = readEvent(message)
      if (event === 'start') start(message)
      else if (event === 'media') media(message)
      else if (event === 'dtmf') {
        const { digit, track } = readDtmf(message).dtmf
        stream?.dtmf(digit, track === undefined ? {} : { track })
      } else if (event === 'stop') stream?.stopped()
    },
    binary: () => {
      throw new ProtocolViolation('Twilio sends no binary messages')
    },
  }
}

/** The signature is made over the URL as it was given to Twilio: `wss:`, with or without its standard port. */
function authenticate(
  { target, headers }: Upgrade,
  { twilioAuthToken, publicUrl }: MediaSecrets,
): string | undefined {
  if (twilioAuthToken === null) return undefined
  const signature = headers['x-twilio-signature']
  if (typeof signature !== 'string') return 'The header X-Twilio-Signature is missing'
  const base = (publicUrl ?? `wss://${headers.host}`).replace(/^http/, 'ws')
  const isValid = spellings(`${base}${target}`).some((url) =>
    isEqual(signature, sign(url, twilioAuthToken)),
  )
  return isValid
    ? undefined
    : 'X-Twilio-Signature does not fit: TWILIO_AUTH_TOKEN or PUBLIC_URL differs from what Twilio uses'
}

/** What Twilio may have signed for a URL: with and without its port, with and without a last slash. */
function spellings(url: string): readonly string[] {
  const [, scheme = '', host = '', port, path = ''] =
    /^(wss?):\/\/([^/?:]+)(?::(\d+))?(.*)$/.exec(url) ?? []
  const standardPort = scheme === 'wss' ? '443' : '80'
  const paths = [path, path.endsWith('/') ? path.slice(0, -1) : `${path}/`]
  return [host, `${host}:${port ?? standardPort}`].flatMap((authority) =>
    paths.map((path) => `${scheme}://${authority}${path}`),
  )
}

function sign(url: string, token: string): string {
  return createHmac('sha1', token).update(url).digest('base64')
}

function isEqual(one: string, other: string): boolean {
  return one.length === other.length && timingSafeEqual(Buffer.from(one), Buffer.from(other))
}

/** Twilio Media Streams. */
export const twilio: WebSocketProtocol = { name: 'twilio', authenticate, connect }
