// Vonage Voice WebSocket: the mix of the call in 20 ms of linear PCM a message; the headers that the
// application has configured come flat in the first text.
import { mediaUrl } from '../addresses.ts'
import { openWebSocket } from '../connection.ts'
import { playOn, type Step, sendingsOf } from '../playing.ts'
import type { Protocol } from '../protocol.ts'
import { linearAudio, linearPacketBytes } from '../voices.ts'

/** How the call is connected to the WebSocket. */
export type VonageOptions = {
  /** Default 16000. */
  readonly sampleRate?: 8000 | 16_000 | 24_000
}

const keyMs = 260

/** Builds the client. */
export function vonageProtocol({ sampleRate = 16_000 }: VonageOptions = {}): Protocol {
  return {
    name: 'vonage',
    lines: [['mixed']],
    lossAccount: 'clock',
    callIds: 'any',
    play: async (call) => {
      const format = { channels: 'mixed', sampleRate } as const
      const audio = linearAudio(call.voices, format)
      const size = linearPacketBytes(format)
      const media = sendingsOf(call, 0, false).map(
        ({ sequence, at }): Step => ({
          at,
          message: audio.subarray((sequence - 1) * size, sequence * size),
          packets: [{ track: 'mixed', sequence }],
        }),
      )
      const keys = (call.dtmf ?? []).map(({ at, digit }) => ({
        at,
        message: JSON.stringify({ event: 'websocket:dtmf', digit, duration: keyMs }),
        packets: [],
      }))
      const connected = {
        event: 'websocket:connected',
        'content-type': `audio/l16;rate=${sampleRate}`,
        callId: call.callId,
        ...call.parameters,
      }
      const connection = await openWebSocket(mediaUrl(call, '/media/vonage'), {}, (message) => {
        call.onMessage?.(message)
        if (typeof message === 'string') JSON.parse(message)
      })
      connection.send(JSON.stringify(connected))
      return await playOn(connection, call, [...media, ...keys])
    },
  }
}
