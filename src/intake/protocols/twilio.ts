// Twilio Media Streams: both tracks of a call on one connection, all numbers in texts. Twilio strips the query from
// the URL; what the operator has to say comes as `<Parameter>`.
// https://www.twilio.com/docs/voice/media-streams/websocket-messages
import Type from 'typebox'
import { messageReader } from '../media/message.ts'
import type { MediaSecrets, Upgrade } from '../media/protocol.ts'
import { type JsonMediaStart, jsonMedia, StreamIdField, voices } from './json-media.ts'
import { isOneOf, signedUrls, twilioSignature } from './signatures.ts'

const readMessage = messageReader(
  Type.Object({
    start: Type.Object({
      streamSid: StreamIdField,
      callSid: Type.String(),
      accountSid: Type.Optional(Type.String()),
      tracks: Type.Array(Type.Enum(voices), { minItems: 1, maxItems: 2, uniqueItems: true }),
      customParameters: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
      mediaFormat: Type.Object({
        encoding: Type.Enum(['audio/x-mulaw']),
        sampleRate: Type.Enum([8000]),
        channels: Type.Enum([1]),
      }),
    }),
  }),
)

/** Reads Twilio's `start`. @throws ProtocolViolation when it is none */
export function readTwilioStart(message: unknown): JsonMediaStart {
  const { streamSid, callSid, accountSid, tracks, customParameters } = readMessage(message).start
  return {
    callId: [callSid, 'start.callSid'],
    streamId: streamSid,
    format: { encoding: 'PCMU', rate: 8_000 },
    voices: tracks,
    parameters: customParameters ?? {},
    metadata: { callSid, accountSid },
  }
}

function authenticate(
  upgrade: Upgrade,
  { twilioAuthToken, publicUrl }: MediaSecrets,
): string | undefined {
  if (twilioAuthToken === null) return undefined
  const signature = upgrade.headers['x-twilio-signature']
  if (typeof signature !== 'string')
    return 'The header X-Twilio-Signature is missing: TWILIO_AUTH_TOKEN is set, so only Twilio may connect'
  const right = signedUrls(upgrade, publicUrl).map((url) => twilioSignature(twilioAuthToken, url))
  return isOneOf(signature, right)
    ? undefined
    : 'X-Twilio-Signature is wrong: TWILIO_AUTH_TOKEN is not the token of this account, or PUBLIC_URL not what the URL in <Stream> begins with'
}

/** Twilio Media Streams. */
export const twilio = jsonMedia({ name: 'twilio', authenticate, readStart: readTwilioStart })
