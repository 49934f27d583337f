// What a PBX asks of the gateway, in the public HTTP API's words. A request that met a full queue, a
// restart or a broken connection is repeated, with growing pauses, until a deadline; sending a packet
// again is safe because the gateway keeps one copy of a sequence. Any other refusal is an error at once.
import { StartupError } from '../errors.ts'
import type { Random } from '../random.ts'
import type { Clock } from './clock.ts'
import { createExchange, type Reply } from './exchange.ts'

/** A packet as it goes over the wire. */
export type WirePacket = {
  readonly sequence: number
  /** G.711 µ-law at 8 kHz, in base64. */
  readonly data: string
  /** Seconds, greater than 0. */
  readonly timestamp: number
}

/** What the gateway says about a call. */
export type GatewayCall = {
  readonly status: string
  readonly total_packets: number
  readonly missing_packets: string
  readonly transcription: string | null
  readonly sentiment: string | null
}

/** What the gateway says about the packets of a track. */
export type TrackQuality = {
  readonly track: string
  readonly received: number
  readonly duplicate: number
  readonly missing_count: number
  /** `null` when the gateway does not know how long a packet is. */
  readonly missing_ms: number | null
}

/** A client of one gateway. Every method rejects with the reason of its signal when that is aborted. */
export type GatewayClient = {
  /** Rejects with a `StartupError`, written for a person, when no gateway answers. */
  readonly greet: () => Promise<void>
  /** Says how the audio is coded, so that it can be heard; resolves once the gateway has acknowledged the packet. */
  readonly sendPacket: (id: string, packet: WirePacket) => Promise<void>
  readonly completeCall: (id: string) => Promise<void>
  /** `undefined` when the gateway does not know the call. */
  readonly readCall: (id: string) => Promise<GatewayCall | undefined>
  readonly readQuality: (id: string) => Promise<readonly TrackQuality[]>
  readonly close: () => void
}

/** What a client needs. */
export type GatewayClientOptions = {
  readonly url: string
  readonly clock: Clock
  readonly random: Random
  /** Ends everything under way. */
  readonly signal: AbortSignal
}

const patience = 60
const firstPause = 0.1
const longestPause = 5
const passing: readonly number[] = [429, 502, 503, 504]

/** Connects nothing before the first request. */
export function createGatewayClient(options: GatewayClientOptions): GatewayClient {
  const { url, clock, random, signal } = options
  const exchange = createExchange(url, signal)

  /** Asks until the answer has a status of `expected`. */
  async function insist(
    method: 'GET' | 'POST',
    path: string,
    body: unknown,
    ...expected: readonly number[]
  ): Promise<Reply> {
    const deadline = clock.now() + patience
    for (let attempt = 0; ; attempt += 1) {
      signal.throwIfAborted()
      const answer = await exchange.request(method, path, body).catch(reasonOf)
      signal.throwIfAborted()
      if (typeof answer !== 'string' && expected.includes(answer.status)) return answer
      const problem =
        typeof answer === 'string' ? answer : `${answer.status} ${excerpt(answer.body)}`
      if (typeof answer !== 'string' && !passing.includes(answer.status))
        throw new Error(`${method} /${path}: ${problem}`)
      const backoff = Math.min(longestPause, firstPause * 2 ** attempt) * (0.5 + random() / 2)
      const pause = Math.max(backoff, typeof answer === 'string' ? 0 : answer.retryAfter)
      if (clock.now() + pause > deadline)
        throw new Error(
          `${method} /${path}: gave up after ${patience} s, the last answer: ${problem}`,
        )
      await clock.wait(pause, signal)
    }
  }

  return {
    greet: async () => {
      const answer = await exchange.request('GET', 'health').catch(reasonOf)
      signal.throwIfAborted()
      if (typeof answer === 'string')
        throw new StartupError(
          `No gateway answers at ${url} (${answer}). Start one with: npm start`,
        )
      if (answer.status !== 200)
        throw new StartupError(
          `What answers at ${url} is not ready: GET /health: ${answer.status} ${excerpt(answer.body)}`,
        )
    },
    sendPacket: async (id, packet) => {
      await insist('POST', `v1/call/stream/${id}?encoding=PCMU`, packet, 202)
    },
    completeCall: async (id) => {
      await insist('POST', `v1/call/complete/${id}`, undefined, 200)
    },
    readCall: async (id) => {
      const { status, body } = await insist('GET', `v1/call/${id}`, undefined, 200, 404)
      return status === 404 ? undefined : parseCall(body)
    },
    readQuality: async (id) =>
      parseQuality((await insist('GET', `v1/call/${id}/quality`, undefined, 200)).body),
    close: exchange.close,
  }
}

function reasonOf(error: Error & { code?: unknown }): string {
  if (error.code === 'ECONNREFUSED') return 'connection refused'
  return error.message || String(error.code)
}

function excerpt(body: string): string {
  return body.length > 200 ? `${body.slice(0, 200)}…` : body
}

function parseCall(body: string): GatewayCall {
  const call: Partial<Record<keyof GatewayCall, unknown>> = JSON.parse(body)
  const { status, total_packets: total, missing_packets: missing, transcription, sentiment } = call
  if (typeof status !== 'string' || typeof total !== 'number' || typeof missing !== 'string')
    throw new Error(`the call lacks status, total_packets or missing_packets: ${excerpt(body)}`)
  return {
    status,
    total_packets: total,
    missing_packets: missing,
    transcription: typeof transcription === 'string' ? transcription : null,
    sentiment: typeof sentiment === 'string' ? sentiment : null,
  }
}

const qualityFigures = ['received', 'duplicate', 'missing_count'] as const

function parseQuality(body: string): readonly TrackQuality[] {
  const { tracks }: { tracks?: unknown } = JSON.parse(body)
  if (!Array.isArray(tracks) || !tracks.every(isTrackQuality))
    throw new Error(`the quality lacks tracks, or a figure of one: ${excerpt(body)}`)
  return tracks
}

function isTrackQuality(value: unknown): value is TrackQuality {
  if (typeof value !== 'object' || value === null || !('track' in value)) return false
  const figures: Readonly<Record<string, unknown>> = { ...value }
  const { missing_ms: missingMs } = figures
  const hasTime = missingMs === null || typeof missingMs === 'number'
  return hasTime && qualityFigures.every((name) => typeof figures[name] === 'number')
}
