// jambonz `listen`, and its "record all calls": the wire of mod_audio_fork with metadata of its own.
import { randomUUID } from 'node:crypto'
import type { Protocol } from '../protocol.ts'
import { type AudioForkOptions, forkTracks, playAudioFork } from './audio-fork.ts'

/** Builds the client. */
export function jambonzProtocol(options: AudioForkOptions = {}): Protocol {
  const { sampleRate = 8000, packetsPerMessage = [1] } = options
  return {
    name: 'jambonz',
    lines: [forkTracks],
    lossAccount: 'clock',
    callIds: 'any',
    play: async (call) =>
      await playAudioFork(call, {
        path: '/media/jambonz',
        connection: { subprotocol: 'audio.jambonz.org' },
        metadata: JSON.stringify({
          sampleRate,
          mixType: 'stereo',
          callSid: call.callId,
          direction: 'inbound',
          from: '+15550100',
          to: '+15550199',
          callId: `${randomUUID()}@simulator`,
          sbcCallid: `${randomUUID()}@simulator`,
          sipStatus: 200,
          sipReason: 'OK',
          callStatus: 'in-progress',
          callerId: 'Simulator',
          accountSid: '5b1f0f5e-2f0c-4f4e-8d2a-6f6d0c8e7a90',
          traceId: randomUUID().replaceAll('-', ''),
          applicationSid: '0e0681b0-d49f-4fb8-b973-b5a3c6758de1',
          fsSipAddress: '127.0.0.1:5060',
          ...call.parameters,
        }),
        sampleRate,
        packetsPerMessage,
        dtmf: (digit) => ({ event: 'dtmf', dtmf: digit, duration: '1600' }),
      }),
  }
}
