// Short calls of real speech, played by the simulator as each PBX would, and what the gateway then has of them.
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { systemClock } from '../../src/simulator/clock.ts'
import type { Protocol, ProtocolCall, SentTrack, TrackName } from '../../src/simulator/protocol.ts'
import { loadRecordings, packetBytes } from '../../src/simulator/recordings.ts'
import { linearAudio, splitVoices, type Voices } from '../../src/simulator/voices.ts'
import type { GatewayProcess } from './gateway.ts'
import { samplesOf } from './sox.ts'
import { until } from './until.ts'
import { assertSamples, readWav } from './wav.ts'

/** 4 s in which the agent asks, and the customer begins to answer. */
export const packets = 200
const firstPacket = 90

const [recording] = await loadRecordings()
assert.ok(recording)
const whole = splitVoices(recording)

/** A part of what was said, in packets of 20 ms from 1. */
export function speechOf(first = 1, last = packets): Voices {
  const from = (firstPacket + first - 1) * packetBytes
  const to = (firstPacket + last) * packetBytes
  return { customer: whole.customer.subarray(from, to), agent: whole.agent.subarray(from, to) }
}

const speakers = { inbound: 'customer', outbound: 'agent', mixed: 'mixed' } as const

/** The samples of a packet or more of a track, as they were before any wire. */
export function sourceOf(track: TrackName, sampleRate: number, voices = speechOf()): Int16Array {
  return samplesOf(linearAudio(voices, { channels: speakers[track], sampleRate }))
}

/** The tracks of a protocol. */
export function tracksOf({ lines }: Protocol): readonly TrackName[] {
  return lines.flat()
}

/** A call id as the protocol has them. */
export function drawCallId({ name, callIds }: Protocol): string {
  const hex = randomUUID().replaceAll('-', '')
  if (callIds === 'uuid') return randomUUID()
  return callIds === 'twilio' ? `CA${hex}` : `${name}-${hex}`
}

/** Where a gateway listens for AudioSocket. */
export function audioSocketPortOf({ log }: Pick<GatewayProcess, 'log'>): number {
  const line = log.find(({ protocol, address }) => protocol === 'audiosocket' && address)
  const port = Number(String(line?.address).split(':').at(-1))
  assert.ok(port > 0, 'the gateway listens for AudioSocket')
  return port
}

/** Plays a call in real time. */
export async function playCall(
  gateway: Pick<GatewayProcess, 'url' | 'log'>,
  protocol: Protocol,
  callId: string,
  change: Partial<ProtocolCall> = {},
): Promise<readonly SentTrack[]> {
  return await protocol.play({
    url: gateway.url,
    audioSocketPort: audioSocketPortOf(gateway),
    callId,
    voices: speechOf(),
    rate: 1,
    clock: systemClock,
    signal: AbortSignal.timeout(60_000),
    ...change,
  })
}

/** Waits until a call is archived, with its transcript. */
export async function archived(url: string, callId: string): Promise<Record<string, unknown>> {
  return await until(`${callId} is archived`, async () => {
    const response = await fetch(`${url}/v1/call/${callId}`)
    const call = (await response.json()) as Record<string, unknown>
    return call.status === 'ARCHIVED' && call
  })
}

/** A time of a track without audio, in its own time. */
export type HeardGap = {
  readonly startMs: number
  readonly milliseconds: number
  readonly cause: string
  readonly packets: number
}

/** A track as it is in the recording, from its own beginning on. */
export type HeardTrack = {
  readonly track: TrackName
  readonly rate: number
  readonly samples: Int16Array
  readonly missingMs: number
  readonly gaps: readonly HeardGap[]
}

type QualityReply = {
  readonly tracks: readonly {
    readonly track: TrackName
    readonly missing_ms: number
    readonly duration_ms: number
    readonly gaps: readonly {
      readonly start_ms: number
      readonly duration_ms: number
      readonly cause: string
      readonly packets: number
    }[]
  }[]
}

type PeaksReply = {
  readonly tracks: readonly { readonly track: TrackName; readonly start_ms: number }[]
}

/** Reads a track of the recording, and what the loss account says of it. */
export async function hearTrack(
  url: string,
  callId: string,
  track: TrackName,
): Promise<HeardTrack> {
  const [quality, peaks, wav] = await Promise.all([
    read<QualityReply>(`${url}/v1/call/${callId}/quality`),
    read<PeaksReply>(`${url}/v1/call/${callId}/peaks?points=1`),
    readWav(url, callId, `?track=${track}`),
  ])
  const told = quality.tracks.find((one) => one.track === track)
  const start = peaks.tracks.find((one) => one.track === track)?.start_ms
  assert.ok(told !== undefined && start !== undefined, `${callId} has a track ${track}`)
  const [all] = wav.channels
  assert.ok(all)
  const from = Math.round((start * wav.rate) / 1_000)
  const to = from + Math.round((told.duration_ms * wav.rate) / 1_000)
  assert.ok(to <= all.length, 'the recording is as long as its account says')
  assert.ok([...all.subarray(0, from), ...all.subarray(to)].every((sample) => sample === 0))
  return {
    track,
    rate: wav.rate,
    samples: all.subarray(from, to),
    missingMs: told.missing_ms,
    gaps: told.gaps.map(({ start_ms: at, duration_ms: milliseconds, cause, packets: count }) => ({
      startMs: at - start,
      milliseconds,
      cause,
      packets: count,
    })),
  }
}

async function read<T>(url: string): Promise<T> {
  const response = await fetch(url)
  assert.equal(response.status, 200, url)
  return (await response.json()) as T
}

/** The samples of a track without its gaps, which must be silent. */
export function withoutGaps({ rate, samples, gaps }: HeardTrack): Int16Array {
  const parts: Int16Array[] = []
  let at = 0
  for (const { startMs, milliseconds } of gaps) {
    const start = Math.round((startMs * rate) / 1_000)
    const end = start + Math.round((milliseconds * rate) / 1_000)
    assert.ok(
      samples.subarray(start, end).every((sample) => sample === 0),
      'a gap is silent',
    )
    parts.push(samples.subarray(at, start))
    at = end
  }
  parts.push(samples.subarray(at))
  return Int16Array.from(parts.flatMap((part) => [...part]))
}

/** One packet of most wires, in milliseconds. */
export const packetMs = 20

/**
 * All that was said is there, in order, and nothing is told to be missing. Where only a clock tells, a machine that is
 * busy all the time looks like the loss of a packet, and of no more.
 */
export function assertWhole({ lossAccount }: Protocol, heard: HeardTrack): void {
  const { track, rate, samples, gaps, missingMs } = heard
  const whole = sourceOf(track, rate)
  if (lossAccount === 'clock') assertSamples(withoutGaps(heard), whole)
  else assertSamples(samples, whole)
  const mostMs = lossAccount === 'clock' ? packetMs : 0
  assert.ok(missingMs <= mostMs, `${track}: ${JSON.stringify(gaps)}`)
}
