// Thousands of requests that nobody would think of. Whatever comes, the answer is not a 5xx, it is JSON, and it is
// what the served OpenAPI document says for its status. A failure prints its seed and the smallest request.
import assert from 'node:assert/strict'
import { Agent, request } from 'node:http'
import { test } from 'node:test'
import fc from 'fast-check'
import { injections } from '../support/hostile-texts.ts'
import { assertDocumented, readOpenApi } from '../support/openapi.ts'
import { assertNoInsides } from '../support/refusal.ts'
import { sharedGateway } from '../support/shared-gateway.ts'

const { gateway, database } = await sharedGateway()
const document = await readOpenApi(gateway.url)
const agent = new Agent({ keepAlive: true, maxSockets: 20 })

type Request = {
  readonly route: string
  readonly id: string
  readonly query: string
  readonly type: string
  readonly body: Buffer
}

const extremes = [0, 1, 2, 3, -1, 1.5, 2 ** 31, 2 ** 53 - 1, 2 ** 53, 1e308, -0]
const text = fc.oneof(
  fc.string({ minLength: 1 }),
  fc.string({ unit: 'binary', minLength: 1 }),
  fc.constantFrom(...injections),
)
const packet = fc.record({
  sequence: fc.oneof(fc.nat({ max: 50 }), fc.maxSafeNat(), fc.constantFrom(...extremes)),
  data: text,
  timestamp: fc.oneof(fc.double({ min: 0.001, noNaN: true }), fc.constantFrom(...extremes)),
})
/** A packet with a field that is missing, of another type, or added. */
const oddPacket = fc
  .tuple(
    packet,
    fc.constantFrom('sequence', 'data', 'timestamp', '__proto__', 'toJSON', 'call_id'),
    fc.option(fc.jsonValue(), { nil: undefined }),
  )
  .map(([whole, field, value]) => {
    const entries = Object.entries(whole).filter(([name]) => name !== field)
    const all = value === undefined ? entries : [...entries, [field, value] as const]
    return `{${all.map(([name, of]) => `${JSON.stringify(name)}:${JSON.stringify(of)}`).join()}}`
  })
/** JSON in which a few characters were changed. */
const damaged = fc
  .tuple(oddPacket, fc.nat(), fc.string({ maxLength: 3 }))
  .map(([json, at, put]) => {
    const place = at % (json.length + 1)
    return json.slice(0, place) + put + json.slice(place + put.length)
  })
const anyBody = fc.oneof(
  { weight: 4, arbitrary: packet.map((value) => Buffer.from(JSON.stringify(value))) },
  { weight: 4, arbitrary: oddPacket.map((json) => Buffer.from(json)) },
  { weight: 3, arbitrary: damaged.map((json) => Buffer.from(json)) },
  { weight: 1, arbitrary: fc.json().map((json) => Buffer.from(json)) },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)) },
)
const anyId = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom('a', 'b', 'c', 'CALL-1', 'x'.repeat(128)) },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 140 }).map(inPath) },
  {
    weight: 1,
    arbitrary: fc.constantFrom(...injections, 'history', '..', '__proto__').map(inPath),
  },
  { weight: 1, arbitrary: fc.constantFrom('%', '%ff', '%00', '%ED%A0%80', '%C0%AF', '%2F', '%2e') },
)
const anyQuery = fc.oneof(
  { weight: 5, arbitrary: fc.constantFrom('', '?track=inbound', '?track=outbound') },
  { weight: 1, arbitrary: fc.webQueryParameters().map((query) => `?${query}`) },
  { weight: 1, arbitrary: text.map((value) => `?track=${inPath(value)}`) },
)
const anyType = fc.oneof(
  { weight: 9, arbitrary: fc.constantFrom('application/json', 'application/json; charset=utf-8') },
  { weight: 1, arbitrary: fc.constantFrom('text/plain', 'application/xml', 'x', '*/*', 'json') },
)
const anyRequest: fc.Arbitrary<Request> = fc.record({
  route: fc.constantFrom('/v1/call/stream/{call_id}', '/ingest/{call_id}'),
  id: anyId,
  query: anyQuery,
  type: anyType,
  body: anyBody,
})

/** A lone surrogate has no place in a URL: the nearest that can be sent. */
function inPath(value: string): string {
  return encodeURIComponent(value.toWellFormed()).replace(/^$/, '%20')
}

function send({
  route,
  id,
  query,
  type,
  body,
}: Request): Promise<{ status: number; text: string }> {
  const path = route.replace('{call_id}', id) + query
  const headers = { 'content-type': type, 'content-length': body.length }
  return new Promise((resolve, reject) => {
    const outgoing = request(gateway.url, { path, method: 'POST', agent, headers })
    outgoing.on('error', reject)
    outgoing.on('response', (incoming) => {
      const chunks: Buffer[] = []
      incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
      incoming.on('end', () =>
        resolve({
          status: incoming.statusCode ?? 0,
          text: Buffer.concat(chunks).toString(),
        }),
      )
    })
    outgoing.end(body)
  })
}

test('2,500 requests are answered as documented, and the ledger stays right', async () => {
  const answered = new Map<number, number>()
  await fc.assert(
    fc.asyncProperty(fc.array(anyRequest, { minLength: 10, maxLength: 10 }), async (requests) => {
      const replies = await Promise.all(requests.map(send))
      for (const [index, { status, text: reply }] of replies.entries()) {
        const route = requests[index]?.route ?? ''
        assertDocumented(document, route, 'post', status, reply)
        answered.set(status, (answered.get(status) ?? 0) + 1)
        if (status < 300) continue
        // A 422 shows what came; the rest of it is ours.
        const { detail } = JSON.parse(reply) as { detail: string | { msg: string }[] }
        assertNoInsides(
          typeof detail === 'string' ? detail : detail.map(({ msg }) => msg).join('\n'),
        )
      }
    }),
    { numRuns: 250 },
  )
  agent.destroy()
  // Of each kind there were many: the requests were neither all nonsense nor all in order.
  for (const status of [200, 202, 415, 422])
    assert.ok((answered.get(status) ?? 0) > 50, `${status}: ${answered.get(status)}`)
  assert.deepEqual(
    gateway.log.filter(({ level }) => level === 'error' || level === 'fatal'),
    [],
  )
  const { rows } = await database.pool.query(
    `SELECT call, track, packets, stored FROM tracks JOIN (
       SELECT call, track, sum(cardinality(sequences)) AS stored FROM segments GROUP BY call, track
     ) AS counted USING (call, track) WHERE packets <> stored`,
  )
  assert.deepEqual(rows, [])
})
