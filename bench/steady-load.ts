// A modest load that goes on until it is stopped: live calls over WebSocket that come and go, and calls that are
// completed and have their analysis, over several gateways.
import { setTimeout as pause } from 'node:timers/promises'
import { portOf } from './bench.ts'
import type { LiveFigures, LiveOptions } from './load/live.ts'
import { type Listening, runLoads } from './processes.ts'
import type { HistogramCounts } from './statistics.ts'

/** What is sent. */
export type SteadyLoadOptions = {
  /** At once, on all gateways together. */
  readonly liveCalls: number
  /** How long a live call lasts, in seconds; then another begins, on a new socket. */
  readonly liveSeconds: number
  readonly completedPerSecond: number
}

/** The lag of the packets of one second at one gateway. */
export type SecondOfLag = {
  /** When it began, in milliseconds since 1970. */
  readonly at: number
  readonly lag: HistogramCounts
}

/** What came of it. */
export type SteadyFigures = {
  readonly sent: number
  readonly acknowledged: number
  readonly completed: number
  readonly seconds: readonly SecondOfLag[]
}

/** A load that goes on. */
export type SteadyLoad = {
  /** Resolves when the live calls of now are at their end; rejects when something went wrong. */
  readonly stop: () => Promise<SteadyFigures>
}

/** Packets of a call that is completed. */
const packetsPerCall = 50

const packetsPerSecond = 50
const retryMs = 50
const callsAtOnce = 8

/** A second of a tone, 20 ms a packet: µ-law as a caller might hum. */
const body = Array.from({ length: packetsPerCall }, (_, packet) => {
  const tone = Uint8Array.from(
    { length: 160 },
    (_, sample) => 0x40 + Math.round(30 * Math.sin((packet * 160 + sample) / 3)),
  )
  const timestamp = 1_732_147_200 + packet / packetsPerSecond
  return `${JSON.stringify({ sequence: packet + 1, data: Buffer.from(tone).toString('base64'), timestamp })}\n`
}).join('')

/** Begins it; the ids of its calls begin with `live-` and `call-`. */
export function startSteadyLoad(
  gateways: readonly Listening[],
  options: SteadyLoadOptions,
): SteadyLoad {
  let isStopping = false
  const seconds: SecondOfLag[] = []
  const packets = { sent: 0, acknowledged: 0 }
  let completed = 0

  async function playLive(): Promise<void> {
    const script = new URL('./load/live.ts', import.meta.url)
    for (let turn = 0; !isStopping; turn += 1) {
      const loads = gateways.map(
        (gateway, place): LiveOptions => ({
          port: portOf(gateway),
          run: `live-${turn}-${place}`,
          calls: Math.ceil(options.liveCalls / gateways.length),
          packetsPerSecond,
          seconds: options.liveSeconds,
        }),
      )
      let began = 0
      const all = await runLoads<LiveFigures>(script, loads, () => {
        began = Date.now()
      })
      for (const { sent, acknowledged, lagBySecond } of all) {
        packets.sent += sent
        packets.acknowledged += acknowledged
        seconds.push(...lagBySecond.map((lag, second) => ({ at: began + second * 1_000, lag })))
      }
    }
  }

  async function completeCalls(): Promise<void> {
    const began = performance.now()
    const ended: Promise<void>[] = []
    for (let call = 0; !isStopping; call += 1) {
      ended.push(playCall(gateways, `call-${call}`, call))
      completed += 1
      const due = began + ((call + 1) * 1_000) / options.completedPerSecond
      await pause(Math.max(0, due - performance.now()))
    }
    await Promise.all(ended)
  }

  const playing = Promise.all([playLive(), completeCalls()])
  // It is told by `stop`.
  playing.catch(() => {
    isStopping = true
  })
  return {
    stop: async () => {
      isStopping = true
      await playing
      const settled = completed * packetsPerCall
      return {
        sent: packets.sent + settled,
        acknowledged: packets.acknowledged + settled,
        completed,
        seconds,
      }
    },
  }
}

/** Plays so many calls as fast as it can be done; their ids begin with `backlog-`. */
export async function completeBacklog(gateway: Listening, calls: number): Promise<void> {
  let next = 0
  const play = async () => {
    for (let call = next++; call < calls; call = next++)
      await playCall([gateway], `backlog-${String(call).padStart(6, '0')}`, call)
  }
  await Promise.all(Array.from({ length: callsAtOnce }, play))
}

/** A call of a second with one speaker, from its first packet to its completion. */
async function playCall(
  gateways: readonly Listening[],
  callId: string,
  turn: number,
): Promise<void> {
  const url = gateways[turn % gateways.length]?.url
  const stream = `${url}/v1/call/stream/${callId}?track=inbound&encoding=PCMU`
  await post(stream, 'application/x-ndjson', body, 202)
  await post(`${url}/v1/call/complete/${callId}`, 'application/json', '', 200)
}

/** Posts, and again when the gateway sheds it: sending again is harmless. */
async function post(url: string, type: string, text: string, wanted: number): Promise<void> {
  for (;;) {
    const answer = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': type },
      body: text,
    })
    const said = await answer.text()
    if (answer.status === wanted) return
    if (answer.status !== 503) throw new Error(`${url}: ${answer.status} ${said}`)
    await pause(retryMs)
  }
}
