// What the work on a call needs, with providers of the test's own and audio that is only pretended.
import { moodOf } from '../../src/analysis/providers/lexicon.ts'
import { redaction } from '../../src/analysis/redact-steps.ts'
import { sameMode } from '../../src/analysis/redaction/classes.ts'
import type { AudibleTrack, WorkOptions } from '../../src/analysis/work-options.ts'

/** Options for calls with these tracks, each of three seconds; mood and summary are found without a service. */
export function workOptions(
  given: Pick<WorkOptions, 'pool' | 'providers' | 'health'>,
  tracks: readonly AudibleTrack['track'][],
): WorkOptions {
  return {
    ...given,
    readPackets: async function* () {},
    readTracks: async () =>
      tracks.map((track) => ({
        track,
        end: 3,
        transcribe: (transcriber, idempotencyKey, signal) =>
          transcriber.transcribe({ idempotencyKey, audio: new Uint8Array(0), seconds: 3 }, signal),
      })),
    isSwapped: async () => false,
    ...redaction(sameMode('mask')),
    judge: moodOf,
    summarise: () => ({ reason: 'In their own words.', outcome: '', nextStep: '' }),
    requestSeconds: 5,
    maxAttempts: 5,
  }
}
