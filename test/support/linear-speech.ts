// Real speech as linear PCM, and cut as a switch may cut it.
import { seededRandom } from '../../src/random.ts'
import { loadRecordings } from '../../src/simulator/recordings.ts'
import { linearAudio, splitVoices } from '../../src/simulator/voices.ts'

const [recording] = await loadRecordings()
if (recording === undefined) throw new Error('no recording is installed')
const voices = splitVoices(recording)

/** A call of real speech; in stereo the customer is left. */
export const speech = (channels: 'stereo' | 'customer' | 'agent' | 'mixed', sampleRate = 8_000) =>
  linearAudio(voices, { channels, sampleRate })

/** Cuts audio into messages of any size, now and then in the midst of a sample. */
export function messagesOf(audio: Buffer, most = 20_000): Buffer[] {
  const random = seededRandom(7)
  const messages: Buffer[] = []
  for (let at = 0; at < audio.length; ) {
    const size = 1 + Math.floor(random() * most)
    messages.push(audio.subarray(at, at + size))
    at += size
  }
  return messages
}
