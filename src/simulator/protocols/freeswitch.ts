// FreeSWITCH: mod_audio_fork, and mod_audio_stream, which names no subprotocol and compresses.
import type { Protocol } from '../protocol.ts'
import { type AudioForkOptions, forkTracks, playAudioFork } from './audio-fork.ts'

/** How `uuid_audio_fork` or `uuid_audio_stream` is called. */
export type FreeSwitchOptions = AudioForkOptions & {
  readonly module?: 'audio_fork' | 'audio_stream'
}

/** Builds the client. */
export function freeSwitchProtocol(options: FreeSwitchOptions = {}): Protocol {
  const { module = 'audio_fork', sampleRate = 8000, packetsPerMessage = [1, 2, 1, 5, 3] } = options
  return {
    name: 'freeswitch',
    lines: [forkTracks],
    lossAccount: 'clock',
    callIds: 'any',
    play: async (call) =>
      await playAudioFork(call, {
        path: '/media/freeswitch',
        connection:
          module === 'audio_fork' ? { subprotocol: 'audio.drachtio.org' } : { deflates: true },
        metadata: JSON.stringify({
          callId: call.callId,
          sampleRate,
          mixType: 'stereo',
          ...call.parameters,
        }),
        sampleRate,
        packetsPerMessage,
        dtmf: (digit) => ({ event: 'dtmf', dtmf: digit, duration: '1600' }),
      }),
  }
}
