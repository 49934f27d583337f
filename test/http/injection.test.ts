// Whatever a text means to SQL or to JavaScript, it is a value to us: stored as it came or refused, and the tables
// and the process stay what they were.
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { completeCall, getCall, post, sendPacket } from '../support/gateway.ts'
import { injections } from '../support/hostile-texts.ts'
import { assertNoInsides, assertRefusal } from '../support/refusal.ts'
import { sharedGateway } from '../support/shared-gateway.ts'

const { gateway, database } = await sharedGateway()
const { url } = gateway
const packet = { sequence: 1, data: 'audio chunk', timestamp: 1 }

async function schema(): Promise<unknown> {
  const { rows } = await database.pool.query(
    `SELECT table_name, column_name, data_type FROM information_schema.columns
     WHERE table_schema = 'public' ORDER BY 1, 2`,
  )
  return rows
}

async function rowsOf(callId: string): Promise<unknown> {
  const { rows } = await database.pool.query(
    `SELECT calls.status, tracks.packets, length(payload) AS bytes FROM calls
     JOIN tracks ON tracks.call = calls.id JOIN segments ON segments.call = calls.id
     WHERE call_id = $1`,
    [callId],
  )
  return rows
}

type Place = readonly [
  name: string,
  path: (text: string) => string,
  method?: 'POST' | 'GET',
  refusals?: readonly number[],
]

const places: readonly Place[] = [
  ['the call id of a packet', (text) => `/v1/call/stream/${text}`, 'POST'],
  ['the call id of an older packet', (text) => `/ingest/${text}`, 'POST'],
  ['the call id of a completion', (text) => `/v1/call/complete/${text}`, 'POST', [404, 422]],
  ['the call id of a question', (text) => `/v1/call/${text}`, 'GET', [404, 422]],
  ['the track', (text) => `/v1/call/stream/injected?track=${text}`, 'POST'],
  ['the status of the history', (text) => `/v1/call/history?status=${text}`],
  ['the limit of the history', (text) => `/v1/call/history?limit=${text}`],
  ['the cursor of the history', (text) => `/v1/call/history?cursor=${text}`],
]

suite('SQL in the request', () => {
  for (const [name, path, method, refusals = [422]] of places)
    test(`${name} is refused`, async () => {
      const before = await schema()
      await sendPacket(url, 'bystander', 1)
      for (const text of injections) {
        // These are legal names.
        if (/^(NULL|DEFAULT|1e309)$/.test(text) && name.startsWith('the call id')) continue
        const init =
          method !== 'POST'
            ? {}
            : {
                method,
                headers: { 'content-type': 'application/json' },
                body: JSON.stringify(packet),
              }
        const response = await fetch(url + path(encodeURIComponent(text)), init)
        const body = await response.text()
        assert.ok(refusals.includes(response.status), `${text}: ${response.status} ${body}`)
        // What came is shown back in a 422: judge what we say about it.
        const said = body.replaceAll(JSON.stringify(text), '""')
        assertRefusal({ status: response.status, headers: '', body: said })
      }
      assert.deepEqual(await schema(), before)
      assert.deepEqual(await rowsOf('bystander'), [
        { status: 'IN_PROGRESS', packets: 1, bytes: 'packet 1'.length },
      ])
      assert.equal((await getCall(url, 'injected')).status, 404)
    })

  test('data is a value, through storage, analysis and reply', async () => {
    const before = await schema()
    for (const [index, text] of injections.entries())
      assert.equal((await sendPacket(url, 'payloads', index + 1, text)).status, 202)
    await sendPacket(url, 'beside', 1)
    assert.equal((await completeCall(url, 'payloads')).status, 200)
    assert.deepEqual(await schema(), before)
    assert.equal((await getCall(url, 'payloads')).body.total_packets, injections.length)
    assert.equal((await getCall(url, 'beside')).body.total_packets, 1)
  })

  test('in the numbers of a packet is refused', async () => {
    for (const text of injections)
      for (const field of ['sequence', 'timestamp']) {
        const body = { ...packet, [field]: text }
        const { status } = await post(`${url}/v1/call/stream/numbers`, body)
        assert.equal(status, 422, `${field} ${text}`)
      }
    assert.equal((await getCall(url, 'numbers')).status, 404)
  })
})

suite('a body that reaches for the prototype', () => {
  const bodies: readonly (readonly [name: string, text: string])[] = [
    ['__proto__', '{"__proto__":{"polluted":1,"track":"inbound"}'],
    ['__proto__, nested', '{"more":{"__proto__":{"polluted":1}}'],
    ['constructor.prototype', '{"constructor":{"prototype":{"polluted":1}}'],
    ['toString', '{"toString":1,"valueOf":2,"hasOwnProperty":3,"toJSON":4'],
  ]
  for (const [index, [name, start]] of bodies.entries())
    test(`${name} changes nothing`, async () => {
      const callId = `proto-${index}`
      const rest = JSON.stringify(packet).slice(1)
      const { status, body } = await post(`${url}/v1/call/stream/${callId}`, `${start},${rest}`)
      assert.equal(status, 202)
      assert.ok(!('polluted' in body))
      const { body: call } = await getCall(url, callId)
      assert.equal(call.total_packets, 1)
      assert.ok(!JSON.stringify(call).includes('polluted'))
    })

  test('does not lend its fields: what is only in __proto__ is missing', async () => {
    const body = `{"__proto__":${JSON.stringify(packet)}}`
    const reply = await post(`${url}/v1/call/stream/lent`, body)
    assert.equal(reply.status, 422)
    const problems = reply.body.detail as { type: string; loc: string[] }[]
    assert.deepEqual(
      problems.map(({ type, loc }) => [type, loc[1]]),
      ['sequence', 'data', 'timestamp'].map((field) => ['missing', field]),
    )
  })

  test('leaves the next request as it would have been', async () => {
    for (const [, start] of bodies)
      await post(`${url}/v1/call/stream/next`, `${start},"timestamp":1}`)
    assert.equal((await post(`${url}/v1/call/stream/next`, {})).status, 422)
    assert.deepEqual(Object.keys((await (await fetch(`${url}/stats`)).json()) as object), [
      'is_running',
      'processed_count',
      'ai_service_stats',
    ])
  })

  for (const query of [
    '__proto__=1',
    '__proto__[polluted]=1',
    'constructor[prototype][polluted]=1',
    'constructor.prototype.polluted=1',
    'hasOwnProperty=1',
  ])
    test(`?${query} changes nothing`, async () => {
      const response = await fetch(`${url}/v1/call/history?${query}&limit=1`)
      const text = await response.text()
      assert.equal(response.status, 200)
      assert.ok(!text.includes('polluted'))
      assertNoInsides(text)
    })
})
