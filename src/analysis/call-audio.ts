// The audio of a call as services get it: each track by itself, from the start of the call, in pieces that a service
// takes. Memory holds one piece at a time.
import type { Pool } from '../database/pool.ts'
import { audibleTracks } from '../recording/audible-tracks.ts'
import { endOf, openChannel } from '../recording/channel.ts'
import { measureCall } from '../recording/measure.ts'
import { cutAudio } from './audio/cut.ts'
import { type HeardPiece, joinPieces } from './audio/join.ts'
import type { Use } from './service.ts'
import type { AudibleTrack } from './work.ts'

const framesPerBlock = 16_384

/** The tracks of a call (by its `id`) whose audio can be decoded; none when no packet has a known format. */
export async function readTracks(pool: Pool, call: number): Promise<readonly AudibleTrack[]> {
  const { tracks } = await measureCall(pool, call)
  const measured = tracks.filter(({ rate, samples }) => rate !== null && samples > 0)
  if (measured.length === 0) return []
  return audibleTracks(measured, undefined).map((track): AudibleTrack => {
    async function* frames(): AsyncGenerator<Int16Array> {
      const end = endOf(track, track.rate)
      const channel = openChannel(pool, call, track, track.rate, 0)
      try {
        for (let at = 0; at < end; at += framesPerBlock)
          yield await channel.read(Math.min(framesPerBlock, end - at))
      } finally {
        await channel.close()
      }
    }
    return {
      track: track.track,
      transcribe: async (transcriber, idempotencyKey, signal) => {
        const pieces: HeardPiece[] = []
        let audioSeconds = 0
        let model: string | null = null
        for await (const piece of cutAudio(frames(), track.rate, transcriber.longestUpload)) {
          const answer = await transcriber.transcribe(
            {
              audio: piece.audio,
              seconds: piece.end - piece.start,
              idempotencyKey: `${idempotencyKey}/${pieces.length + 1}`,
            },
            signal,
          )
          pieces.push({ start: piece.start, end: piece.end, utterances: answer.value })
          audioSeconds += answer.use.audioSeconds ?? piece.end - piece.start
          model = answer.model
        }
        const use: Use = { audioSeconds }
        return { utterances: joinPieces(pieces), use, model }
      },
    }
  })
}
