// Telnyx media streaming: like Twilio's, in snake case; the vendor does not promise the order of the packets. The
// call is its session: every leg of it has a call control id of its own.
import { randomBytes, randomUUID } from 'node:crypto'
import type { Protocol } from '../protocol.ts'
import { playNumbered } from './numbered-media.ts'

/** The client. */
export const telnyxProtocol: Protocol = {
  name: 'telnyx',
  lines: [['inbound'], ['outbound']],
  lossAccount: 'numbers',
  callIds: 'uuid',
  play: async (call) => {
    const streamId = call.streamId ?? randomUUID()
    const callControlId = `v3:${randomBytes(24).toString('base64url')}`
    const userId = '7a9ac7c2-4f14-4a6c-9c4d-2e0b6b3c1b7e'
    const start = {
      user_id: userId,
      call_control_id: callControlId,
      call_session_id: call.callId,
      from: '+15550100',
      to: '+15550199',
      tags: [],
      client_state: null,
      custom_parameters: { ...call.parameters },
      media_format: { encoding: 'PCMU', sample_rate: 8000, channels: 1 },
    }
    return await playNumbered(call, {
      path: '/media/telnyx',
      headers: {},
      tracks: ['inbound', 'outbound'],
      opening: [
        { event: 'connected', version: '1.0.0' },
        { event: 'start', sequence_number: '1', start, stream_id: streamId },
      ],
      media: ({ track, number, chunk, milliseconds, payload }) => ({
        event: 'media',
        sequence_number: String(number),
        media: { track, chunk: String(chunk), timestamp: String(milliseconds), payload },
        stream_id: streamId,
      }),
      dtmf: (digit, number) => ({
        event: 'dtmf',
        stream_id: streamId,
        occurred_at: new Date(call.clock.now() * 1000).toISOString(),
        sequence_number: String(number),
        dtmf: { digit },
      }),
      stop: (number) => ({
        event: 'stop',
        sequence_number: String(number),
        stop: { user_id: userId, call_control_id: callControlId },
        stream_id: streamId,
      }),
      accepts: ['media', 'mark', 'clear'],
    })
  },
}
