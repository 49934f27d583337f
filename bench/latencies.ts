// How long single things take on a gateway that has nothing else to do, by the client's clock, one after the other.
import { setTimeout as pause } from 'node:timers/promises'
import pg from 'pg'
import WebSocket from 'ws'
import type { MeasuredGateway } from './bench.ts'
import { portOf } from './bench.ts'
import { filledCallId } from './fill.ts'
import { HttpSocket } from './load/http-socket.ts'

/** What is timed, as it is called in the report. */
export const timedSteps = {
  firstPacket: 'first packet of a new call',
  complete: 'complete a call',
  event: 'completion → event at a supervisor',
  history: 'history, first 100',
  deepHistory: 'history, 100 by a cursor deep inside',
  call: 'one call',
  claim: 'claim 64 calls (SQL)',
} as const

export type TimedStep = keyof typeof timedSteps

/** Milliseconds of every time it was done. */
export type Latencies = Readonly<Record<TimedStep, number[]>>

const newCalls = 150
const reads = 40
const claims = 10
const retryMs = 20
const mostTries = 100

/** Times everything once more, on calls whose ids begin with `run`. */
export async function measureLatencies(
  gateway: MeasuredGateway,
  calls: number,
  run: string,
): Promise<Latencies> {
  const http = new HttpSocket(portOf(gateway))
  const postOnce = (path: string, body: string): Promise<{ status: number; answer: string }> =>
    new Promise((resolve) => {
      http.post(path, body, (status, answer) => resolve({ status, answer }))
    })
  // A sender that is shed tries again; that is part of the time it takes.
  const post = async (path: string, body: string, wanted: number): Promise<void> => {
    for (let left = mostTries; ; left -= 1) {
      const { status, answer } = await postOnce(path, body)
      if (status === wanted) return
      if (status !== 503 || left === 0) throw new Error(`${path}: ${status} ${answer}`)
      await pause(retryMs)
    }
  }
  const get = async (path: string): Promise<void> => {
    const answer = await fetch(gateway.url + path)
    await answer.arrayBuffer()
    if (answer.status !== 200) throw new Error(`${path}: ${answer.status}`)
  }
  const packet = '{"sequence":1,"data":"audio_chunk_1","timestamp":1}'
  const feed = await openFeed(gateway.url)
  try {
    const firstPacket = await timeEach(newCalls, (n) =>
      post(`/v1/call/stream/${run}-${n}`, packet, 202),
    )
    const event: number[] = []
    const complete = await timeEach(newCalls, async (n) => {
      const told = feed.completionOf(`${run}-${n}`)
      const began = performance.now()
      void told.then((at) => event.push(at - began))
      await post(`/v1/call/complete/${run}-${n}`, '', 200)
    })
    await feed.completionOf(`${run}-${newCalls - 1}`)
    return {
      firstPacket,
      complete,
      event,
      history: await timeEach(reads, () => get('/v1/call/history?limit=100')),
      deepHistory: await timeEach(reads, (n) =>
        get(`/v1/call/history?limit=100&cursor=${Math.ceil((calls * (n + 1)) / (reads + 1))}`),
      ),
      call: await timeEach(reads, (n) =>
        get(`/v1/call/${filledCallId(Math.ceil((calls * (n + 1)) / (reads + 1)))}`),
      ),
      claim: await measureClaims(gateway.databaseUrl),
    }
  } finally {
    feed.close()
    http.close()
  }
}

async function timeEach(times: number, run: (n: number) => Promise<void>): Promise<number[]> {
  const taken: number[] = []
  for (let n = 0; n < times; n += 1) {
    const began = performance.now()
    await run(n)
    taken.push(performance.now() - began)
  }
  return taken
}

/** Claims and takes it back, so that the calls still wait. */
async function measureClaims(url: string): Promise<number[]> {
  const client = new pg.Client(url)
  await client.connect()
  try {
    return await timeEach(claims, async () => {
      await client.query('BEGIN')
      const { rowCount } = await client.query("SELECT * FROM claim_calls('bench', 'mock', 64, 6)")
      await client.query('ROLLBACK')
      if (rowCount !== 64) throw new Error(`${rowCount} calls were claimed, not 64`)
    })
  } finally {
    await client.end()
  }
}

type Feed = {
  /** When the completion of a call was told, by performance.now(). */
  readonly completionOf: (callId: string) => Promise<number>
  readonly close: () => void
}

async function openFeed(url: string): Promise<Feed> {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/ws`)
  const told = new Map<string, PromiseWithResolvers<number>>()
  const entry = (callId: string) => {
    const known = told.get(callId) ?? Promise.withResolvers<number>()
    told.set(callId, known)
    return known
  }
  const { promise: opened, resolve, reject } = Promise.withResolvers<void>()
  socket.on('error', reject)
  socket.on('message', (text) => {
    const message = JSON.parse(String(text)) as { type: string; call_id?: string; status?: string }
    if (message.type === 'connected') resolve()
    else if (message.status === 'COMPLETED' && message.call_id !== undefined)
      entry(message.call_id).resolve(performance.now())
  })
  await opened
  return { completionOf: (callId) => entry(callId).promise, close: () => socket.close() }
}
