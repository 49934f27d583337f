// Every event to every supervisor, and what idle supervisors cost.
import { type Bench, startMeasuredGateway } from '../bench.ts'
import { type FeedRun, feedSettings, measureFeed, measureIdleSockets } from '../feed.ts'
import { count, mebibytes, ms } from '../report/format.ts'
import type { Section } from '../report/section.ts'

const idleSockets = 10_000
const wantedMs = 50

/** Measures it. */
export async function measureFeedSection(bench: Bench): Promise<Section> {
  await using gateway = await startMeasuredGateway(bench, feedSettings)
  bench.progress('events to supervisors')
  const live = await measureFeed(gateway, gateway.databaseUrl)
  bench.progress(`${count(idleSockets)} idle supervisors`)
  const idle = await measureIdleSockets(gateway, gateway.databaseUrl, idleSockets)
  const { gateway: ours, bare } = live
  const shares = (heard: FeedRun, postgres: number) =>
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
