// The AI service is away for minutes: what packets notice of it, what it costs the calls, and how fast and in which
// order they are analysed afterwards, beside a backlog of as many calls that nobody has tried.
import { setTimeout as pause } from 'node:timers/promises'
import { seededRandom } from '../../src/random.ts'
import { countAttempts, countUnarchived, countWaiting, readBacklog } from '../backlog.ts'
import type { Bench } from '../bench.ts'
import { countStored, query } from '../cluster.ts'
import { type Listening, startGateway } from '../processes.ts'
import { count } from '../report/format.ts'
import type { Section } from '../report/section.ts'
import { completeBacklog, type SteadyLoad, startSteadyLoad } from '../steady-load.ts'
import { startTranscriptionServer, type TranscriptionServer } from '../transcription-server.ts'
import {
  type FreshBacklog,
  type Outage,
  outagePlots,
  outageRows,
  type WaitingSample,
} from './outage-report.ts'

/** What is measured. */
export type OutageOptions = {
  /** How long the service is away. */
  readonly minutes: number
  readonly liveCalls: number
  readonly completedPerSecond: number
}

const gateways = 2
const requestsAtOnce = 16
/** As long as the mock takes, unless it is told otherwise. */
const latency = { min: 1, max: 3 }
const warmUpSeconds = 5
const longestTurnSeconds = 20
const patienceMinutes = 30

/** Measures it. */
export async function measureOutage(bench: Bench, options: OutageOptions): Promise<Section> {
  const random = seededRandom(1)
  await using server = await startTranscriptionServer(async () => {
    await pause(1_000 * (latency.min + (latency.max - latency.min) * random()))
    return [{ start: 0, end: 1, text: 'I would like to talk about my contract.' }]
  })
  const outage = await playOutage(bench, server, options)
  const fresh = await drainFreshBacklog(bench, server, options, outage.backlog.length)
  const { minutes, liveCalls, completedPerSecond } = options
  return {
    title: `The AI service is away for ${minutes} minutes`,
    about: `${gateways} gateways on one PostgreSQL; ${liveCalls} live calls over WebSocket, a packet every 20 ms each, \
and beside them ${completedPerSecond} calls a second that are completed and analysed, all the time. The only AI service, a transcription \
server in OpenAI's form that takes ${latency.min} to ${latency.max} s and ${requestsAtOnce} requests at once, is killed: its port is closed and what was \
under way is cut off. After ${minutes} minutes it is back. The commit lag of a packet is from its sending until the \
acknowledgement that covers it was read; *baseline* is the time before the outage, of this run. With so few packets a second \
the p99 is made by what else the machine does: how much it differs between stretches without any change stands below. \
The baseline of the drain is a *fresh* backlog: as many calls as waited at the end of the outage, completed on a new database by a gateway whose \
grace (COMPLETION_GRACE_SECONDS) is an hour, so that no analysis begins. Two gateways with the settings of the outage and the same load \
are started on it, the service is there and well, and all of these calls become due at one moment. Both drains are timed \
from that moment, or from the return of the service, until the last of these calls is archived, while new calls go on \
coming. After an outage of some length the gateways ask once in 30 s whether the service is back: that wait is part of the drain, \
and weighs the more the shorter a run is.`,
    rows: outageRows(outage, fresh),
    plots: outagePlots(outage),
  }
}

async function playOutage(
  bench: Bench,
  server: TranscriptionServer,
  options: OutageOptions,
): Promise<Outage> {
  const url = await bench.cluster.createDatabase('outage')
  await using nodes = await startGateways(url, server)
  const calmSeconds = Math.max(10, options.minutes * 12)
  const load = startLoad(nodes.all, options)
  await pause(1_000 * warmUpSeconds)
  const measuredFrom = new Date()
  using sampling = startSampling(url)
  bench.progress(`${calmSeconds.toFixed(0)} s with the service`)
  await pause(1_000 * calmSeconds)
  bench.progress(`${options.minutes} min without it`)
  const away = new Date()
  await server.goAway()
  await pause(60_000 * options.minutes)
  const back = new Date()
  await server.comeBack()
  bench.progress('it is back')
  await Promise.all([untilArchived(url, back), pause(1_000 * calmSeconds)])
  const figures = await load.stop()
  return {
    measuredFrom,
    away,
    back,
    load: figures,
    lost: figures.sent - Math.min(figures.acknowledged, (await countStored(url, '')).packets),
    attempts: await countAttempts(url, away, back),
    backlog: await readBacklog(url, back),
    samples: sampling.samples,
  }
}

async function drainFreshBacklog(
  bench: Bench,
  server: TranscriptionServer,
  options: OutageOptions,
  calls: number,
): Promise<FreshBacklog> {
  bench.progress(`a fresh backlog of ${count(calls)} calls`)
  const url = await bench.cluster.createDatabase('fresh')
  {
    await using gateway = await startGateway({
      ...settingsFor(url, server),
      COMPLETION_GRACE_SECONDS: '3600',
    })
    await completeBacklog(gateway, calls)
  }
  await using nodes = await startGateways(url, server)
  const load = startLoad(nodes.all, options)
  await pause(1_000 * warmUpSeconds)
  const released = new Date()
  await query(url, "UPDATE calls SET due_at = completed_at WHERE starts_with(call_id, 'backlog-')")
  await untilArchived(url, released, 'backlog-')
  await load.stop()
  return { released, calls: await readBacklog(url, released, 'backlog-') }
}

function settingsFor(databaseUrl: string, { baseUrl }: TranscriptionServer) {
  return {
    DATABASE_URL: databaseUrl,
    AI_PROVIDERS: 'whisper',
    WHISPER_BASE_URL: baseUrl,
    WHISPER_CONCURRENCY: String(requestsAtOnce),
    // The live calls are never over: they only send.
    PACKET_TIMEOUT_SECONDS: '86400',
  }
}

async function startGateways(
  databaseUrl: string,
  server: TranscriptionServer,
): Promise<AsyncDisposable & { readonly all: readonly Listening[] }> {
  const all = await Promise.all(
    Array.from({ length: gateways }, () => startGateway(settingsFor(databaseUrl, server))),
  )
  return {
    all,
    [Symbol.asyncDispose]: async () => {
      await Promise.all(all.map((gateway) => gateway.stop()))
    },
  }
}

function startLoad(
  nodes: readonly Listening[],
  { minutes, liveCalls, completedPerSecond }: OutageOptions,
): SteadyLoad {
  const liveSeconds = Math.min(longestTurnSeconds, Math.ceil(minutes * 60))
  return startSteadyLoad(nodes, { liveCalls, liveSeconds, completedPerSecond })
}

function startSampling(url: string): Disposable & { readonly samples: readonly WaitingSample[] } {
  const samples: WaitingSample[] = []
  const timer = setInterval(() => {
    countWaiting(url).then(
      (waiting) => samples.push({ at: Date.now(), waiting }),
      (error: Error) => console.error('not counted:', error.message),
    )
  }, 1_000)
  return { samples, [Symbol.dispose]: () => clearInterval(timer) }
}

async function untilArchived(url: string, end: Date, prefix = ''): Promise<void> {
  const deadline = performance.now() + 60_000 * patienceMinutes
  for (;;) {
    const left = await countUnarchived(url, end, prefix)
    if (left === 0) return
    if (performance.now() > deadline)
      throw new Error(`after ${patienceMinutes} min ${left} calls are not archived`)
    await pause(500)
  }
}
