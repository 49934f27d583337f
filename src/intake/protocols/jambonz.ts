// jambonz: `listen`, and "record all calls", which connects below the path. The wire of mod_audio_fork with metadata
// of its own. https://docs.jambonz.org/verbs/verbs/listen
import Type from 'typebox'
import { messageReader, parseMessage, readCallId, readTrack } from '../media/message.ts'
import {
  type Peer,
  ProtocolViolation,
  type Receiver,
  type WebSocketProtocol,
} from '../media/protocol.ts'
import { hearText, longestForkMessage, readChannels } from './audio-fork.ts'
import { firstOf, hearLinear } from './linear.ts'

const readMetadata = messageReader(
  Type.Object({
    sampleRate: Type.Enum([8_000, 16_000, 24_000, 32_000, 48_000, 64_000]),
    mixType: Type.Enum(['mono', 'stereo', 'mixed']),
    callSid: Type.String(),
    call_id: Type.Optional(Type.String()),
    track: Type.Optional(Type.String()),
    customerData: Type.Optional(Type.Unknown()),
  }),
)

function connect(peer: Peer): Receiver {
  return hearLinear(peer, {
    begin: (text) => {
      if (text === undefined) throw new ProtocolViolation('Audio came, but no metadata before it')
      const metadata = readMetadata(parseMessage(text))
      const { sampleRate: rate, mixType, callSid, call_id, track, customerData } = metadata
      const custom = { ...(typeof customerData === 'object' ? customerData : {}) }
      // The field `callId` of jambonz itself is the Call-ID of SIP, which is another one on every leg.
      const found = firstOf(custom, ['callId', 'call_id']) ?? firstOf({ call_id }, ['call_id'])
      const told = firstOf(custom, ['track']) ?? firstOf({ track }, ['track'])
      return {
        callId: readCallId(found?.value ?? callSid, found?.name ?? 'callSid'),
        streamId: callSid,
        rate,
        channels: readChannels(mixType, readTrack(told?.value, 'track')),
        metadata,
      }
    },
    patience: 'for ever',
    hear: hearText,
  })
}

/** jambonz `listen` and "record all calls". */
export const jambonz: WebSocketProtocol = {
  name: 'jambonz',
  longestBinary: longestForkMessage,
  connect,
}
