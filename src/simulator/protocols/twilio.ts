// Twilio Media Streams: `<Start><Stream track="both_tracks">`, each speaker on a track of their own.
import { randomUUID } from 'node:crypto'
import { configuredUrl, sidOf } from '../addresses.ts'
import type { Protocol, ProtocolCall, TrackName } from '../protocol.ts'
import { twilioSignature } from '../signatures.ts'
import { type NumberedWire, playNumbered } from './numbered-media.ts'

const path = '/media/twilio'

/** The client. */
export const twilioProtocol: Protocol = {
  name: 'twilio',
  lines: [['inbound'], ['outbound']],
  lossAccount: 'numbers',
  callIds: 'twilio',
  play: async (call) => {
    const token = call.secrets?.twilioAuthToken
    const headers: Record<string, string> =
      token === undefined
        ? {}
        : { 'x-twilio-signature': twilioSignature(token, configuredUrl(call, path)) }
    const messages = twilioMessages(call, ['inbound', 'outbound'])
    return await playNumbered(call, { path, headers, ...messages })
  },
}

/** Twilio's messages; a call id that is none of Twilio's goes as the parameter `callId`. */
export function twilioMessages(
  call: ProtocolCall,
  tracks: readonly TrackName[],
): Omit<NumberedWire, 'path' | 'headers'> {
  const isSid = /^CA[0-9a-f]{32}$/.test(call.callId)
  const callSid = isSid ? call.callId : sidOf('CA', call.callId)
  const accountSid = sidOf('AC', 'simulator')
  const streamSid = call.streamId ?? sidOf('MZ', randomUUID())
  const start = {
    accountSid,
    streamSid,
    callSid,
    tracks,
    customParameters: { ...(isSid ? {} : { callId: call.callId }), ...call.parameters },
    mediaFormat: { encoding: 'audio/x-mulaw', sampleRate: 8000, channels: 1 },
  }
  return {
    tracks,
    opening: [
      { event: 'connected', protocol: 'Call', version: '1.0.0' },
      { event: 'start', sequenceNumber: '1', start, streamSid },
    ],
    media: ({ track, number, chunk, milliseconds, payload }) => ({
      event: 'media',
      sequenceNumber: String(number),
      media: { track, chunk: String(chunk), timestamp: String(milliseconds), payload },
      streamSid,
    }),
    dtmf: (digit, number) => ({
      event: 'dtmf',
      streamSid,
      sequenceNumber: String(number),
      dtmf: { track: 'inbound_track', digit },
    }),
    stop: (number) => ({
      event: 'stop',
      sequenceNumber: String(number),
      stop: { accountSid, callSid },
      streamSid,
    }),
    accepts: ['media', 'mark', 'clear'],
  }
}
