// Thousands of requests that nobody would think of. Whatever comes, the answer has the status of the contract,
// and is what the served OpenAPI document says for it. A failure prints its seed and the smallest request.
import assert from 'node:assert/strict'
import { Agent, request } from 'node:http'
import { test } from 'node:test'
import fc from 'fast-check'
import { assertDocumented, readOpenApi } from '../support/openapi.ts'
import { anyPacketRequest, type PacketRequest, statusOf } from '../support/packet-requests.ts'
import { assertNoInsides } from '../support/refusal.ts'
import { sharedGateway } from '../support/shared-gateway.ts'

const { gateway, database } = await sharedGateway()
const document = await readOpenApi(gateway.url)
const agent = new Agent({ keepAlive: true, maxSockets: 20 })

function send({
  route,
  id,
  query,
  type,
  body,
}: PacketRequest): Promise<{ status: number; text: string }> {
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
    fc.asyncProperty(
      fc.array(anyPacketRequest, { minLength: 10, maxLength: 10 }),
      async (requests) => {
        const replies = await Promise.all(requests.map(send))
        for (const [index, { status, text: reply }] of replies.entries()) {
          const sent = requests[index]
          assert.ok(sent !== undefined)
          assert.equal(status, statusOf(sent), reply)
          assertDocumented(document, sent.route, 'post', status, reply)
          answered.set(status, (answered.get(status) ?? 0) + 1)
          if (status < 300) continue
          // A 422 shows what came; the rest of it is ours.
          const { detail } = JSON.parse(reply) as { detail: string | { msg: string }[] }
          assertNoInsides(
            typeof detail === 'string' ? detail : detail.map(({ msg }) => msg).join('\n'),
          )
        }
      },
    ),
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
       SELECT call, track, sum(cardinality(timestamps)) AS stored FROM segments GROUP BY call, track
     ) AS counted USING (call, track) WHERE packets <> stored`,
  )
  assert.deepEqual(rows, [])
})
