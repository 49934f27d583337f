// A call as a WAV file of 16-bit linear samples: how long it is, and any part of its bytes.
import { endianness } from 'node:os'
import type { Queryable } from '../database/statement.ts'
import { GatewayError } from '../errors.ts'
import type { TrackName } from '../ledger/packet.ts'
import { type AudibleTrack, audibleTracks } from './audible-tracks.ts'
import { type Channel, endOf, openChannel, silentChannel } from './channel.ts'
import type { MeasuredCall } from './measure.ts'

/** A stretch of a call that is silent; of one track, or of all (null). In seconds. */
export type MutedSpan = {
  readonly track: string | null
  readonly start: number
  readonly end: number
}

/** What a WAV file of a call holds. */
export type WavPlan = {
  /** The `id` of the call. */
  readonly call: number
  /** Left and right, or one; `undefined` is silent. */
  readonly channels: readonly (AudibleTrack | undefined)[]
  readonly muted: readonly MutedSpan[]
  readonly rate: number
  /** Samples of each channel. */
  readonly frames: number
  /** Of the whole file. */
  readonly bytes: number
}

const headerBytes = 44
/** What the header can say. */
const mostBytes = 2 ** 32 - 1
const framesPerBlock = 16_384

/**
 * Plans the file of a call, or of one track.
 * @throws GatewayError no_recording
 */
export function planWav(
  call: number,
  { tracks }: MeasuredCall,
  swapped: boolean,
  only: TrackName | undefined,
  muted: readonly MutedSpan[] = [],
): WavPlan {
  const channels = channelsOf(audibleTracks(tracks, only), swapped, only)
  const rate = Math.max(...channels.map((track) => track?.rate ?? 0))
  const frames = Math.max(...tracks.map((track) => endOf(track, rate)))
  const bytes = headerBytes + frames * channels.length * 2
  if (bytes > mostBytes)
    throw new GatewayError(
      'no_recording',
      `The call lasts ${Math.round(frames / rate / 3600)} hours, too long for a WAV file`,
    )
  return { call, channels, muted, rate, frames, bytes }
}

/** Left first: the customer and the agent, or the only track. */
function channelsOf(
  audible: readonly AudibleTrack[],
  swapped: boolean,
  only: TrackName | undefined,
): (AudibleTrack | undefined)[] {
  const find = (name: TrackName) => audible.find(({ track }) => track === name)
  const [inbound, outbound] = [find('inbound'), find('outbound')]
  if (only !== undefined || (inbound ?? outbound) === undefined) return [...audible]
  return swapped ? [outbound, inbound] : [inbound, outbound]
}

/** Yields the bytes of the file from `first` up to and with `last`, as they are read. */
export async function* wavBytes(
  db: Queryable,
  plan: WavPlan,
  first: number,
  last: number,
): AsyncGenerator<Uint8Array> {
  if (first < headerBytes) yield header(plan).subarray(first, last + 1)
  if (last < headerBytes) return
  const frameBytes = plan.channels.length * 2
  const from = Math.max(first - headerBytes, 0)
  const to = last + 1 - headerBytes
  let frame = Math.floor(from / frameBytes)
  const channels = plan.channels.map((track) =>
    track === undefined ? silentChannel : openPart(db, plan, track, frame),
  )
  try {
    while (frame * frameBytes < to) {
      const frames = Math.min(framesPerBlock, Math.ceil(to / frameBytes) - frame)
      const bytes = await interleave(channels, frames)
      const start = frame * frameBytes
      yield bytes.subarray(Math.max(from - start, 0), to - start)
      frame += frames
    }
  } finally {
    await Promise.all(channels.map(({ close }) => close()))
  }
}

/** A channel from a frame on, with what is muted. */
function openPart(
  db: Queryable,
  { call, rate, muted }: WavPlan,
  track: AudibleTrack,
  from: number,
): Channel {
  const channel = openChannel(db, call, track, rate, from)
  const spans = muted.filter((span) => span.track === null || span.track === track.track)
  if (spans.length === 0) return channel
  let at = from
  return {
    ...channel,
    read: async (samples) => {
      const block = await channel.read(samples)
      for (const { start, end } of spans) {
        const [first, last] = [Math.floor(start * rate) - at, Math.ceil(end * rate) - at]
        if (last > 0 && first < samples) block.fill(0, Math.max(first, 0), Math.min(last, samples))
      }
      at += samples
      return block
    },
  }
}

async function interleave(channels: readonly Channel[], frames: number): Promise<Buffer> {
  const samples = new Int16Array(frames * channels.length)
  for (const [place, channel] of channels.entries()) {
    const block = await channel.read(frames)
    for (let frame = 0; frame < frames; frame += 1)
      samples[frame * channels.length + place] = block[frame] ?? 0
  }
  const bytes = Buffer.from(samples.buffer)
  return endianness() === 'LE' ? bytes : bytes.swap16()
}

/** @see https://www.mmsp.ece.mcgill.ca/Documents/AudioFormats/WAVE/WAVE.html */
function header({ channels, rate, bytes }: WavPlan): Buffer {
  const frameBytes = channels.length * 2
  const head = Buffer.alloc(headerBytes)
  head.write('RIFF', 0, 'latin1')
  head.writeUInt32LE(bytes - 8, 4)
  head.write('WAVEfmt ', 8, 'latin1')
  head.writeUInt32LE(16, 16)
  head.writeUInt16LE(1, 20)
  head.writeUInt16LE(channels.length, 22)
  head.writeUInt32LE(rate, 24)
  head.writeUInt32LE(rate * frameBytes, 28)
  head.writeUInt16LE(frameBytes, 32)
  head.writeUInt16LE(16, 34)
  head.write('data', 36, 'latin1')
  head.writeUInt32LE(bytes - headerBytes, 40)
  return head
}
