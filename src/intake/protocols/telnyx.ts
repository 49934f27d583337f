// Telnyx media streaming: as Twilio's, in snake case. Packets may come in any order; their numbers tell the right one.
// https://developers.telnyx.com/api-reference/websockets/stream-call-media-over-websocket
import Type from 'typebox'
import { messageReader, readWhole } from '../media/message.ts'
import { type JsonMediaStart, jsonMedia, StreamIdField } from './json-media.ts'

const OptionalText = Type.Optional(Type.Union([Type.String(), Type.Null()]))
const readMessage = messageReader(
  Type.Object({
    stream_id: StreamIdField,
    start: Type.Object({
      call_control_id: Type.String(),
      call_session_id: OptionalText,
      from: OptionalText,
      to: OptionalText,
      custom_parameters: Type.Optional(
        Type.Union([Type.Record(Type.String(), Type.Unknown()), Type.Null()]),
      ),
      media_format: Type.Object({
        encoding: Type.Enum(['PCMU', 'audio/x-mulaw', 'PCMA', 'G722', 'OPUS', 'L16']),
        sample_rate: Type.Unknown(),
      }),
    }),
  }),
)

/** Of G.722, whose RTP clock of 8 kHz is not the rate of its samples. */
const g722Rate = 16_000
const [slowest, fastest] = [8_000, 48_000]

/**
 * A call has an id per leg (`call_control_id`) and one that is the same for all legs (`call_session_id`): the
 * latter, so that the streams of two legs join one call. Which tracks were asked for is not said.
 *
 * The payload of L16 is documented as that of RTP, which has big-endian samples (RFC 3551), but comes
 * little-endian: users of other software found noise where they believed the document.
 */
function readStart(message: unknown): JsonMediaStart {
  const { stream_id, start } = readMessage(message)
  const { call_control_id, call_session_id, from, to, custom_parameters, media_format } = start
  const rate = readWhole(
    media_format.sample_rate,
    slowest,
    fastest,
    'start.media_format.sample_rate',
  )
  const { encoding: name } = media_format
  const encoding = name === 'audio/x-mulaw' ? 'PCMU' : name
  return {
    callId: call_session_id
      ? [call_session_id, 'start.call_session_id']
      : [call_control_id, 'start.call_control_id'],
    streamId: stream_id,
    format: { encoding, rate: encoding === 'G722' ? g722Rate : rate },
    parameters: custom_parameters ?? {},
    metadata: { call_control_id, call_session_id, from, to },
  }
}

/** Telnyx media streaming. */
export const telnyx = jsonMedia({ name: 'telnyx', readStart })
