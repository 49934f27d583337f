// Compares the gateway's loss account of a call's tracks, and its transcript, with what was truly sent. Pure.
import type { TrackQuality } from './gateway-client.ts'
import type { Protocol, SentTrack } from './protocol.ts'
import { packetSeconds, type Turn } from './recordings.ts'

/** What a receiver could know of a track. */
export type TrackTruth = {
  readonly track: string
  /** Packets that left, each counted once. */
  readonly sent: number
  /** How often one left again. */
  readonly duplicates: number
  readonly missing: number
  /** Runs of missing packets. */
  readonly gaps: number
}

const packetMs = packetSeconds * 1000
const leastWordsHeard = 0.5
const shortestWord = 4

/**
 * What was sent of a track, as a receiver can know it. By numbers, what is lost after the last packet is not
 * missed; by the clock, neither is what is lost before the first; a position in the audio tells of both.
 * @param packets in the audio
 */
export function truthOf(
  { track, sequences }: SentTrack,
  lossAccount: Protocol['lossAccount'],
  packets: number,
): TrackTruth {
  const sent = [...new Set(sequences)].sort((one, other) => one - other)
  const before = lossAccount === 'clock' ? [] : [0]
  const after = lossAccount === 'reported' ? [packets + 1] : []
  const edges = [...before, ...sent, ...after]
  const steps = edges.slice(1).map((sequence, index) => sequence - (edges[index] ?? sequence))
  const jumps = steps.filter((step) => step > 1)
  return {
    track,
    sent: sent.length,
    duplicates: sequences.length - sent.length,
    missing: jumps.reduce((sum, step) => sum + step - 1, 0),
    gaps: jumps.length,
  }
}

/** What is wrong with the gateway's loss account. By the clock, a gap may be off by one packet. */
export function qualityDifferences(
  truths: readonly TrackTruth[],
  lossAccount: Protocol['lossAccount'],
  quality: readonly TrackQuality[],
): string[] {
  const strangers = quality.filter(({ track }) => !truths.some((truth) => truth.track === track))
  const unknown = strangers.map(({ track }) => `loss account differs: nothing was sent on ${track}`)
  const wrong = truths.flatMap((truth) => {
    const told = quality.find(({ track }) => track === truth.track)
    if (told === undefined) return [`loss account differs: ${truth.track} is not in it`]
    const figures: [name: string, told: number, truth: number, tolerance: number][] =
      lossAccount === 'numbers'
        ? [
            ['received', told.received, truth.sent, 0],
            ['duplicate', told.duplicate, truth.duplicates, 0],
            ['missing_count', told.missing_count, truth.missing, 0],
          ]
        : []
    const tolerance = lossAccount === 'clock' ? truth.gaps * packetMs : 0
    if (told.missing_ms === null && lossAccount !== 'numbers')
      return [`loss account differs: missing_ms of ${truth.track} is not told`]
    if (told.missing_ms !== null)
      figures.push(['missing_ms', told.missing_ms, truth.missing * packetMs, tolerance])
    return figures
      .filter(([, is, should, most]) => Math.abs(is - should) > most + 0.5)
      .map(([name, is, should, most]) => {
        const about = most === 0 ? '' : `, give or take ${most}`
        return `loss account differs: ${name} of ${truth.track} is ${is}, but was ${should}${about}`
      })
  })
  return [...unknown, ...wrong]
}

/** What is wrong with a transcript: fewer than half of the words that were spoken. */
export function transcriptDifferences(turns: readonly Turn[], transcription: string): string[] {
  const spoken = wordsOf(turns.map(({ text }) => text).join(' '))
  const heard = new Set(wordsOf(transcription))
  const found = spoken.filter((word) => heard.has(word))
  if (found.length >= spoken.length * leastWordsHeard) return []
  return [`the transcript has ${found.length} of the ${spoken.length} longer words spoken`]
}

function wordsOf(text: string): string[] {
  const words = text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? []
  return [...new Set(words)].filter((word) => word.length >= shortestWord)
}
