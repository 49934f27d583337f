// Every event to every supervisor, and what idle supervisors cost.
import { type Bench, type MeasuredGateway, startMeasuredGateway } from '../bench.ts'
import { count, mebibytes, ms } from '../report/format.ts'
import type { Section } from '../report/section.ts'

const idleSockets = 10_000
const wantedMs = 50

type Heard = {
  readonly sockets: number
  readonly messages: number
  readonly missed: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly maxMs: number
  readonly clientCpu: number
  readonly serverCpu: number
}

/** What bench/feed.ts offers. */
type FeedMeasures = {
  readonly measureFeed: (
    gateway: MeasuredGateway,
    gatewayPid: number,
    databaseUrl: string,
  ) => Promise<{
    readonly events: number
    readonly eventsPerSecond: number
    readonly gateway: Heard
    readonly bare: Heard
    readonly postgresCpu: number
  }>
  readonly measureIdleSockets: (
    gateway: MeasuredGateway,
    gatewayPid: number,
    databaseUrl: string,
    count: number,
  ) => Promise<{
    readonly before: number
    readonly after: number
    readonly bytesPerSocket: number
    readonly p50Ms: number
    readonly maxMs: number
    readonly missed: number
  }>
}

/** Measures it. */
export async function measureFeedSection(bench: Bench): Promise<Section> {
  const path = new URL('../feed.ts', import.meta.url).href
  const { measureFeed, measureIdleSockets } = (await import(path)) as FeedMeasures
  await using gateway = await startMeasuredGateway(bench, {
    COMPLETION_GRACE_SECONDS: '0',
    AI_SERVICE_MIN_LATENCY: '0.1',
    AI_SERVICE_MAX_LATENCY: '0.5',
  })
  bench.progress('events to supervisors')
  const live = await measureFeed(gateway, gateway.pid, gateway.databaseUrl)
  bench.progress(`${count(idleSockets)} idle supervisors`)
  const idle = await measureIdleSockets(gateway, gateway.pid, gateway.databaseUrl, idleSockets)
  const { gateway: ours, bare } = live
  const shares = (heard: Heard, postgres: number) =>
    [heard.serverCpu, postgres, heard.clientCpu].map((share) => share.toFixed(2)).join(', ')
  return {
    title: 'The feed',
    about: `Calls are played so that ${count(live.eventsPerSecond)} events a second go to ${count(ours.sockets)} \
supervisors, ${count(ours.messages)} messages in all; each message's delay is from the event's own timestamp until it \
was read. The baseline is a bare \`ws\` server that sends the same messages to the same clients at the same times. Then \
${count(idleSockets)} supervisors connect, are idle, and hear one call.`,
    rows: [
      {
        what: 'event → supervisor, p50, p99, max',
        figure: [ours.p50Ms, ours.p99Ms, ours.maxMs].map(ms).join(', '),
        baseline: [bare.p50Ms, bare.p99Ms, bare.maxMs].map(ms).join(', '),
        bar: `p99 ≤ ${wantedMs} ms`,
        met: ours.p99Ms <= wantedMs,
      },
      {
        what: 'events missed, heard twice or out of order',
        figure: count(ours.missed + idle.missed),
        baseline: count(bare.missed),
        bar: '0',
        met: ours.missed + idle.missed === 0,
      },
      {
        what: 'cores used by server, PostgreSQL, clients',
        figure: shares(ours, live.postgresCpu),
        baseline: shares(bare, 0),
      },
      {
        what: `memory of the gateway with ${count(idleSockets)} idle sockets (baseline: before)`,
        figure: mebibytes(idle.after),
        baseline: mebibytes(idle.before),
      },
      {
        what: 'memory of an idle socket',
        figure: `${(idle.bytesPerSocket / 1_024).toFixed(1)} KiB`,
      },
      {
        what: `one call's events to ${count(idleSockets)} sockets, p50, max`,
        figure: [idle.p50Ms, idle.maxMs].map(ms).join(', '),
      },
    ],
    plots: [],
  }
}
