// Joins what was heard in pieces of audio that overlap: nothing twice, nothing lost. Pure.
import type { Utterance } from '../service.ts'
import { seamBetween } from './seam.ts'

/** A piece of audio and what was heard in it; times in seconds. */
export type HeardPiece = {
  /** From the start of all the audio. */
  readonly start: number
  readonly end: number
  /** Timed from the start of the piece. */
  readonly utterances: readonly Utterance[]
}

/** The utterances of all pieces, timed from the start of all the audio. The pieces are in the order of time. */
export function joinPieces(pieces: readonly HeardPiece[]): readonly Utterance[] {
  let joined: readonly Utterance[] = []
  let end = 0
  for (const piece of pieces) {
    const heard = piece.utterances.map((utterance) => ({
      ...utterance,
      start: utterance.start + piece.start,
      end: utterance.end + piece.start,
    }))
    const seam = seamBetween(joined, heard, piece.start, end)
    joined = [...seam.before, ...seam.after]
    end = piece.end
  }
  return joined
}
