// The feed at 200 events a second to 1,000 supervisors, beside a bare `ws` server that sends the same messages to
// the same clients at the same times; and what 10,000 idle supervisors cost. `node bench/feed.ts` runs it
// alone, with `feed` or `idle` one half of it.
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { query, startCluster } from './cluster.ts'
import type { FromBroadcast, ToBroadcast } from './feed-broadcast.ts'
import type { FeedClientFigures, FromFeedClients, ToFeedClients } from './feed-clients.ts'
import { cpuSecondsOf, residentBytesOf } from './proc.ts'
import { type Listening, startGateway } from './processes.ts'

const supervisors = 1_000
/** Each call is five events: created, completed, in analysis, its result, archived. */
const callsPerSecond = 40
const seconds = 20
/** Of the first ones the latency is not counted: the server's code is not compiled yet. */
const warmUpSeconds = 2
const warmUpEvents = 5 * callsPerSecond * warmUpSeconds

/** Settings of a gateway that is measured: its analysis never fails, and keeps up with the calls. */
export const feedSettings = {
  COMPLETION_GRACE_SECONDS: '0',
  AI_SERVICE_FAILURE_RATE: '0',
  AI_SERVICE_MIN_LATENCY: '0.1',
  AI_SERVICE_MAX_LATENCY: '0.5',
} as const

/** How a server did; what its clients heard comes with it. */
export type FeedRun = Omit<FeedClientFigures, 'texts'> & {
  /** Processor time of the server, as a share of one core. */
  readonly serverCpu: number
}

/** What the comparison found. */
export type FeedFigures = {
  readonly events: number
  readonly eventsPerSecond: number
  readonly gateway: FeedRun
  /** The bare `ws` server. */
  readonly bare: FeedRun
  /** Processor time of PostgreSQL during the gateway's run, as a share of one core. */
  readonly postgresCpu: number
}

/** What idle supervisors cost. */
export type IdleFigures = {
  readonly sockets: number
  /** Memory of the gateway, in bytes. */
  readonly before: number
  readonly after: number
  readonly bytesPerSocket: number
  /** From an event until it reached half of them, and all of them, in milliseconds. */
  readonly p50Ms: number
  readonly maxMs: number
  readonly missed: number
}

/** Measures against a running gateway with {@link feedSettings}. */
export async function measureFeed(gateway: Listening, databaseUrl: string): Promise<FeedFigures> {
  const postmaster = await findPostmaster(databaseUrl)
  const head = await settledHead(databaseUrl)
  const clients = await connectClients(gateway.url, supervisors, head, warmUpEvents)
  const before = { gateway: cpuSecondsOf(gateway.pid), postgres: cpuSecondsOf(postmaster) }
  const began = performance.now()
  await playCalls(gateway.url, 'feed', callsPerSecond * (warmUpSeconds + seconds), callsPerSecond)
  const events = (await settledHead(databaseUrl)) - head
  const elapsed = (performance.now() - began) / 1_000
  const after = { gateway: cpuSecondsOf(gateway.pid), postgres: cpuSecondsOf(postmaster) }
  const { texts, ...heard } = await clients.report(events)
  return {
    events,
    eventsPerSecond: events / elapsed,
    gateway: { ...heard, serverCpu: (after.gateway - before.gateway) / elapsed },
    bare: await measureBare(texts.slice(1)),
    postgresCpu: (after.postgres - before.postgres) / elapsed,
  }
}

async function measureBare(texts: string[]): Promise<FeedRun> {
  const server = fork(join(import.meta.dirname, 'feed-broadcast.ts'))
  const [listening] = (await once(server, 'message')) as [FromBroadcast]
  if (!('port' in listening)) throw new Error('the bare server did not say its port')
  const clients = await connectClients(
    `http://127.0.0.1:${listening.port}`,
    supervisors,
    0,
    warmUpEvents,
  )
  const times = texts.map((text) =>
    Date.parse((JSON.parse(text) as { timestamp: string }).timestamp),
  )
  const messages = texts.map((text, index) => ({
    text,
    at: (times[index] ?? 0) - (times[0] ?? 0),
  }))
  const pid = server.pid ?? 0
  const before = cpuSecondsOf(pid)
  const began = performance.now()
  server.send({ messages } satisfies ToBroadcast)
  await once(server, 'message')
  const serverCpu = (cpuSecondsOf(pid) - before) / ((performance.now() - began) / 1_000)
  const { texts: _, ...heard } = await clients.report(texts.length)
  server.disconnect()
  return { ...heard, serverCpu }
}

/**
 * Connects so many idle supervisors to a gateway and lets one call happen. The gateway should have just started:
 * memory that it no longer needs would hide that of the sockets.
 */
export async function measureIdleSockets(
  gateway: Listening,
  databaseUrl: string,
  count: number,
): Promise<IdleFigures> {
  const head = await settledHead(databaseUrl)
  const before = residentBytesOf(gateway.pid)
  const clients = await connectClients(gateway.url, count, head, 0)
  await pause(3_000)
  const after = residentBytesOf(gateway.pid)
  await playCalls(gateway.url, 'idle', 1, 1)
  const { sockets, p50Ms, maxMs, missed } = await clients.report(
    (await settledHead(databaseUrl)) - head,
  )
  const bytesPerSocket = (after - before) / count
  return { sockets, before, after, bytesPerSocket, p50Ms, maxMs, missed }
}

type Clients = {
  /** Waits until every socket has heard so many events, and disconnects them. */
  readonly report: (events: number) => Promise<FeedClientFigures>
}

async function connectClients(
  url: string,
  sockets: number,
  after: number,
  warmUp: number,
): Promise<Clients> {
  const words = [new URL(url).port, sockets, after, warmUp].map(String)
  const child = fork(join(import.meta.dirname, 'feed-clients.ts'), words)
  await answer(child)
  return {
    report: async (events) => {
      child.send({ events } satisfies ToFeedClients)
      const said = await answer(child)
      child.disconnect()
      await once(child, 'exit')
      if (said.type !== 'figures') throw new Error('the clients gave no figures')
      return said.figures
    },
  }
}

async function answer(child: ChildProcess): Promise<FromFeedClients> {
  const ended = once(child, 'exit').then(() => {
    throw new Error('the clients of the feed failed')
  })
  const [message] = (await Promise.race([once(child, 'message'), ended])) as [FromFeedClients]
  return message
}

/** Lets calls happen at a steady rate, of one packet each; their ids begin with `run`. */
export async function playCalls(
  url: string,
  run: string,
  calls: number,
  callsPerSecond: number,
): Promise<void> {
  const began = performance.now()
  const played: Promise<void>[] = []
  for (let call = 0; call < calls; call += 1) {
    await pause(Math.max(0, began + (call * 1_000) / callsPerSecond - performance.now()))
    played.push(playCall(url, `${run}-${call}`))
  }
  await Promise.all(played)
}

async function playCall(url: string, callId: string): Promise<void> {
  const packet = JSON.stringify({ sequence: 1, data: 'audio_chunk_1', timestamp: 1 })
  await post(`${url}/v1/call/stream/${callId}`, packet)
  await post(`${url}/v1/call/complete/${callId}`, '{}')
}

async function post(url: string, body: string): Promise<void> {
  const headers = { 'content-type': 'application/json' }
  while (true) {
    const response = await fetch(url, { method: 'POST', headers, body })
    const answer = await response.text()
    if (response.ok) return
    if (response.status !== 503) throw new Error(`${url}: ${response.status} ${answer}`)
    await pause(250)
  }
}

/** The position of the newest event, once every call of a run is archived and every event has a position. */
export async function settledHead(databaseUrl: string, run = ''): Promise<number> {
  while (true) {
    const [row] = await query<{ position: string; pending: boolean }>(
      databaseUrl,
      `SELECT position, EXISTS (SELECT FROM events WHERE position IS NULL)
         OR EXISTS (SELECT FROM calls WHERE status <> 'ARCHIVED' AND starts_with(call_id, $1)) AS pending
       FROM feed_head`,
      [run],
    )
    if (row?.pending === false) return Number(row.position)
    await pause(100)
  }
}

/** The server process of a PostgreSQL on this machine: the parent of any of its connections. */
async function findPostmaster(databaseUrl: string): Promise<number> {
  const [row] = await query<{ status: string }>(
    databaseUrl,
    "SELECT pg_read_file('/proc/self/status') AS status",
  )
  return Number(/^PPid:\s+(\d+)/m.exec(row?.status ?? '')?.[1])
}

async function main(): Promise<void> {
  await using stack = new AsyncDisposableStack()
  const folder = await mkdtemp(join(tmpdir(), 'gateway-bench-'))
  stack.defer(() => rm(folder, { recursive: true, force: true }))
  const cluster = stack.use(await startCluster(folder))
  const databaseUrl = await cluster.createDatabase('bench_feed')
  const settings = { ...feedSettings, DATABASE_URL: databaseUrl }
  const [what] = process.argv.slice(2)
  if (what !== 'idle') {
    await using gateway = await startGateway(settings)
    console.log(await measureFeed(gateway, databaseUrl))
  }
  if (what !== 'feed') {
    await using gateway = await startGateway(settings)
    console.log(await measureIdleSockets(gateway, databaseUrl, 10_000))
  }
}

if (import.meta.main) await main()
