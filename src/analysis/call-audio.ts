// The audio of a call as services get it: each track by itself, from the start of the call, in pieces that a service
// takes. Memory holds one piece at a time.
import type { Pool } from '../database/pool.ts'
import { audibleTracks } from '../recording/audible-tracks.ts'
import { endOf, openChannel } from '../recording/channel.ts'
import { measureCall } from '../recording/measure.ts'
import { cutAudio } from './audio/cut.ts'
import { type HeardPiece, joinPieces } from './audio/join.ts'
import type { Use } from './service.ts'
import type { AudibleTrack } from './work-options.ts'

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
      end: track.start + track.samples / track.rate,
      transcribe: async (transcriber, idempotencyKey, signal) => {
        const pieces: HeardPiece[] = []
        let use: Use = {}
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
          use = addUse(use, { audioSeconds: piece.end - piece.start, ...answer.use })
          model = answer.model
        }
        return { value: joinPieces(pieces), use, model }
      },
    }
  })
}

function addUse(one: Use, other: Use): Use {
  const sum = (name: keyof Use) => (one[name] ?? 0) + (other[name] ?? 0)
  return {
    audioSeconds: sum('audioSeconds'),
    inputTokens: sum('inputTokens'),
    outputTokens: sum('outputTokens'),
  }
}
