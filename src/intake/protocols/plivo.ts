// Plivo audio streaming: as Twilio's, but numbers are numbers, timestamps the time of day, and the end of the call is
// the end of the connection. What the operator has to say comes as `extraHeaders`.
// https://www.plivo.com/docs/voice-agents/audio-streaming/concepts/audio-streaming-reference
import Type from 'typebox'
import type { MediaFormat } from '../../ledger/media-format.ts'
import { messageReader, parseMessage, readWhole } from '../media/message.ts'
import { type JsonMediaStart, jsonMedia, StreamIdField, voices } from './json-media.ts'

const readMessage = messageReader(
  Type.Object({
    start: Type.Object({
      streamId: StreamIdField,
      callId: Type.String(),
      accountId: Type.Optional(Type.String()),
      tracks: Type.Optional(
        Type.Array(Type.Enum(voices), { minItems: 1, maxItems: 2, uniqueItems: true }),
      ),
      mediaFormat: Type.Optional(
        Type.Object({
          encoding: Type.Enum(['audio/x-mulaw', 'audio/x-l16']),
          sampleRate: Type.Unknown(),
        }),
      ),
    }),
    extra_headers: Type.Optional(Type.Unknown()),
  }),
)

/** What `contentType` is when nobody sets it. */
const usualFormat = { encoding: 'audio/x-mulaw', sampleRate: 8_000 }

function readStart(message: unknown): JsonMediaStart {
  const { start, extra_headers } = readMessage(message)
  const { callId, streamId, accountId, tracks, mediaFormat = usualFormat } = start
  return {
    callId: [callId, 'start.callId'],
    streamId,
    format: formatOf(mediaFormat),
    voices: tracks,
    parameters: readExtraHeaders(extra_headers),
    metadata: { callId, accountId },
  }
}

function formatOf({
  encoding,
  sampleRate,
}: {
  encoding: string
  sampleRate?: unknown
}): MediaFormat {
  const field = 'start.mediaFormat.sampleRate'
  return encoding === 'audio/x-l16'
    ? { encoding: 'L16', rate: readWhole(sampleRate, 8_000, 48_000, field) }
    : { encoding: 'PCMU', rate: readWhole(sampleRate, 8_000, 8_000, field) }
}

/** `a=1,b=2` or `a=1;b=2`, or the same as JSON; Plivo may put `X-PH-` in front of a name. */
function readExtraHeaders(headers: unknown): Record<string, unknown> {
  const pairs = typeof headers === 'string' ? pairsOf(headers.trim()) : entriesOf(headers)
  return Object.fromEntries(pairs.map(([name, value]) => [name.replace(/^X-PH-/i, ''), value]))
}

function pairsOf(text: string): [string, unknown][] {
  if (text.startsWith('{')) return entriesOf(parseMessage(text, 'extra_headers'))
  return text.split(/[;,]/).flatMap((pair) => {
    const end = pair.indexOf('=')
    return end < 1 ? [] : [[pair.slice(0, end).trim(), pair.slice(end + 1).trim()]]
  })
}

function entriesOf(value: unknown): [string, unknown][] {
  return Object.entries(Object(value))
}

/** Plivo audio streaming. */
export const plivo = jsonMedia({ name: 'plivo', readStart })
