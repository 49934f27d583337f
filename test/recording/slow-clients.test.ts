// Clients of a recording that do not read, and clients that leave.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { get, type IncomingMessage } from 'node:http'
import { after, test } from 'node:test'
import { fastify } from 'fastify'
import { rangeOf } from '../../src/byte-range.ts'
import type { Queryable } from '../../src/database/statement.ts'
import type { Packet } from '../../src/ledger/packet.ts'
import { createMeasurements } from '../../src/recording/measurements.ts'
import { recordingRoutes } from '../../src/recording/routes.ts'
import { createDatabase } from '../support/database.ts'
import { declareFormat, muLaw, storePackets } from '../support/recorded-call.ts'
import { until } from '../support/until.ts'

const seconds = 1_800
const bytes = 44 + seconds * 16_000
const callId = 'half-an-hour'

const stack = new AsyncDisposableStack()
after(() => stack.disposeAsync())
const { pool } = stack.use(await createDatabase())
const packets: Packet[] = Array.from({ length: seconds }, (_, index) => ({
  callId,
  track: 'mixed',
  sequence: index + 1,
  timestamp: index,
  encoding: 'binary',
  ...rangeOf(new Uint8Array(8_000).fill(index)),
}))
await declareFormat(pool, await storePackets(pool, packets, 10), muLaw)

/** Serves the recording; counts what is read of the database, and what waits for the client meanwhile. */
async function serve() {
  const server = fastify()
  const account = { reads: 0, mostUnsent: 0 }
  const watched: Queryable = {
    query: ((config: { name: string; text: string }) => {
      if (config.name === 'read_recorded_segments') {
        account.reads += 1
        account.mostUnsent = Math.max(account.mostUnsent, raw?.writableLength ?? 0)
      }
      return pool.query(config)
    }) as Queryable['query'],
  }
  let raw: { readonly writableLength: number; readonly writableNeedDrain: boolean } | undefined
  let closed: Promise<unknown> | undefined
  server.addHook('onRequest', async (_request, reply) => {
    raw = reply.raw
    closed = once(reply.raw, 'close')
  })
  await server.register(recordingRoutes, {
    db: watched,
    measure: createMeasurements(pool),
    readRedactedSpans: async () => [],
  })
  const url = await server.listen({ host: '127.0.0.1', port: 0 })
  stack.defer(() => server.close())
  return {
    account,
    closed: () => closed,
    isHeldUp: () => raw?.writableNeedDrain === true,
    ask: async () => {
      // A connection of its own: the kernel of one that was read fast holds a whole recording.
      const request = get(`${url}/v1/call/${callId}/recording.wav`, { agent: false })
      const [response] = (await once(request, 'response')) as [IncomingMessage]
      assert.equal(response.headers['content-length'], `${bytes}`)
      return response
    },
  }
}

test('what a slow client has not read does not pile up in memory', async () => {
  const { account, ask, isHeldUp } = await serve()
  const response = await ask()
  await until('the server waits for its client', isHeldUp)
  let received = 0
  for await (const chunk of response) received += chunk.length
  assert.equal(received, bytes)
  assert.ok(account.reads > 15, `${account.reads} reads`)
  assert.ok(account.mostUnsent <= 2 ** 18, `${account.mostUnsent} bytes`)
})

test('when a client leaves, its recording is read no further', async () => {
  const { account, ask, isHeldUp, closed } = await serve()
  const readAll = async () => {
    const before = account.reads
    for await (const _ of await ask());
    return account.reads - before
  }
  const all = await readAll()
  const response = await ask()
  await until('the server waits for its client', isHeldUp)
  response.destroy()
  await closed()
  const before = account.reads
  assert.ok(before < 2 * all, `${before - all} of ${all} reads`)
  assert.equal(await readAll(), all)
  assert.equal(account.reads, before + all)
})
