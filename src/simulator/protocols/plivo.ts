// Plivo audio streaming: like Twilio's, but its timestamps are the time of day in milliseconds.
import { randomUUID } from 'node:crypto'
import type { Protocol } from '../protocol.ts'
import { playNumbered } from './numbered-media.ts'

/** The client. */
export const plivoProtocol: Protocol = {
  name: 'plivo',
  lines: [['inbound'], ['outbound']],
  lossAccount: 'numbers',
  callIds: 'any',
  play: async (call) => {
    const streamId = call.streamId ?? randomUUID()
    const startedMs = Math.round(call.clock.now() * 1000)
    const parameters = Object.entries(call.parameters ?? {})
    const extraHeaders = parameters.map(([name, value]) => `${name}=${value}`).join(';')
    const common = { streamId, extra_headers: extraHeaders }
    return await playNumbered(call, {
      path: '/media/plivo',
      headers: {},
      tracks: ['inbound', 'outbound'],
      opening: [
        {
          event: 'start',
          sequenceNumber: '1',
          start: {
            streamId,
            accountId: 'MASIMULATORSIMULATOR',
            callId: call.callId,
            tracks: ['inbound', 'outbound'],
            mediaFormat: { encoding: 'audio/x-mulaw', sampleRate: 8000 },
          },
          extra_headers: extraHeaders,
        },
      ],
      media: ({ track, number, chunk, milliseconds, payload }) => ({
        event: 'media',
        sequenceNumber: String(number),
        media: {
          track,
          chunk: String(chunk),
          timestamp: String(startedMs + milliseconds),
          payload,
        },
        ...common,
      }),
      dtmf: (digit, number) => ({
        event: 'dtmf',
        sequenceNumber: String(number),
        dtmf: { track: 'inbound', digit },
        ...common,
      }),
      stop: (number) => ({ event: 'stop', sequenceNumber: String(number), ...common }),
      accepts: ['playAudio', 'clearAudio', 'checkpoint'],
    })
  },
}
