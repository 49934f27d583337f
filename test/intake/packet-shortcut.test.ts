// Nobody may be able to tell whether a packet took the shortcut past the framework: table of requests that go both
// ways, and are answered the same.
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { headOf, type PacketPost, packet, type Way, ways } from '../support/both-ways.ts'
import { completeCall, getCall, sendPacket } from '../support/gateway.ts'
import { openExchange, type RawAnswer } from '../support/raw-exchange.ts'
import { sharedGateway } from '../support/shared-gateway.ts'
import { until } from '../support/until.ts'

const { gateway } = await sharedGateway()
const { url } = gateway
const limit = 2 ** 20

/** An answer without what differs from one request to the next. */
function comparable({ status, headers, body }: RawAnswer) {
  const { date: _date, ...rest } = headers
  return {
    status,
    headers: rest,
    body: JSON.parse(
      body
        .replaceAll(/usual-(\d+)/g, 'short-$1')
        .replace(/"received_at":"[\d-]{10}T[\d:.]{12}Z"/, '"received_at":"now"'),
    ) as Record<string, unknown>,
  }
}

async function ask(callId: string, way: Way, request: PacketPost): Promise<RawAnswer> {
  using exchange = openExchange(url)
  await exchange.write(headOf(callId, way, request), request.body)
  return await exchange.answer()
}

let calls = 0
/** Sends a request both ways, each to a call of its own; returns the answer on which they agree. */
async function askBothWays(request: PacketPost, prepare: (callId: string) => Promise<void>) {
  calls += 1
  const number = calls
  const [short, usual] = await Promise.all(
    ways.map(async (way) => {
      const callId = `${way.name}-${number}`
      await prepare(callId)
      return comparable(await ask(callId, way, request))
    }),
  )
  assert.ok(short !== undefined && usual !== undefined)
  assert.deepEqual(short, usual)
  return short
}

const deep = (levels: number) => packet(1, `,"more":${'['.repeat(levels)}${']'.repeat(levels)}`)

const requests: readonly (readonly [name: string, status: number, request: PacketPost])[] = [
  ['a packet', 202, { body: packet(1) }],
  ['a packet that opens gaps', 202, { body: packet('9007199254740991') }],
  ['-0', 202, { body: packet('-0') }],
  ['unknown fields', 202, { body: packet(1, ',"track":"inbound","call_id":7') }],
  ['a track', 202, { body: packet(1), query: '?track=inbound' }],
  ['the usual track', 202, { body: packet(1), query: '?track=mixed' }],
  ['a track and more', 202, { body: packet(1), query: '?more=1&track=outbound' }],
  ['a NUL in the data', 202, { body: packet(1).replace('audio', '\\u0000') }],
  ['a body of many bytes a character', 202, { body: packet(1).replace('audio', '☎️') }],
  ['64 levels', 202, { body: deep(63) }],
  ['a body at the limit', 202, { body: packet(1).padEnd(limit) }],
  ['a list', 202, { body: `[${packet(1)},${packet(3)},${packet(3)},${packet(2)}]` }],
  ['an empty list', 202, { body: '[]' }],
  ['HTTP/1.0', 202, { body: packet(1), version: '1.0' }],
  [
    'HTTP/1.0, kept alive',
    202,
    { body: packet(1), version: '1.0', headers: ['Connection: keep-alive'] },
  ],
  ['the wish to close', 202, { body: packet(1), headers: ['Connection: close'] }],
  ['header names in odd case', 202, { body: packet(1), contentType: 'cOnTeNt-TyPe' }],
  ['the encoding identity', 202, { body: packet(1), headers: ['Content-Encoding: identity'] }],
  ['an unknown track', 422, { body: packet(1), query: '?track=agent' }],
  ['no track', 422, { body: packet(1), query: '?track=' }],
  ['an empty body', 422, { body: '' }],
  ['an object without fields', 422, { body: '{}' }],
  ['fields of other types', 422, { body: '{"sequence":"1","data":1,"timestamp":"1"}' }],
  ['values out of bounds', 422, { body: '{"sequence":-1,"data":"","timestamp":0}' }],
  ['half a sequence', 422, { body: packet('1.5') }],
  ['2^53', 422, { body: packet('9007199254740992') }],
  ['a number beyond all numbers', 422, { body: packet(1).replace('p":1', 'p":1e309') }],
  ['a lone surrogate', 422, { body: packet(1).replace('audio', '\\ud800') }],
  ['a long text where a number should be', 422, { body: packet(`"${'é'.repeat(300)}"`) }],
  ['no object', 422, { body: 'null' }],
  ['half a packet', 422, { body: packet(1).slice(0, 20) }],
  ['two packets', 422, { body: packet(1) + packet(2) }],
  ['NUL bytes', 422, { body: Buffer.alloc(10) }],
  ['what is no UTF-8', 422, { body: Buffer.from(packet(1).replace('audio', 'ÿ'), 'latin1') }],
  ['65 levels', 422, { body: deep(64) }],
  ['a list with one that is no packet', 422, { body: `[${packet(1)},{"sequence":2}]` }],
  ['a list with a packet of another call', 422, { body: `[${packet(1, ',"call_id":"other"')}]` }],
  ['a body over the limit', 413, { body: packet(1).padEnd(limit + 1) }],
  ['a compressed body', 415, { body: packet(1), headers: ['Content-Encoding: gzip'] }],
]

suite('both ways the answer is the same to', () => {
  for (const [name, status, request] of requests)
    test(name, async () => {
      const answer = await askBothWays(request, async () => {})
      assert.equal(answer.status, status, JSON.stringify(answer))
      assert.equal(answer.headers['content-type'], 'application/json; charset=utf-8')
    })

  test('a duplicate, a late packet and one that opens a gap', async () => {
    for (const [sequence, told] of [
      [1, [true, false, '2,3']],
      [2, [false, true, '3']],
      [6, [false, false, '2,3,5']],
    ] as const) {
      const { body } = await askBothWays({ body: packet(sequence) }, async (callId) => {
        for (const before of [1, 4]) await sendPacket(url, callId, before)
      })
      assert.deepEqual([body.duplicate, body.late, body.missing_packets], told)
      assert.equal(body.status, 'accepted_with_warning')
    }
  })

  test('a packet and a list for a call whose analysis has begun', async () => {
    for (const body of [packet(2), `[${packet(1)},${packet(2)}]`]) {
      const answer = await askBothWays({ body }, async (callId) => {
        await sendPacket(url, callId, 1)
        await completeCall(url, callId)
        await until('the result', async () => (await getCall(url, callId)).body.transcription)
      })
      assert.deepEqual([answer.status, answer.body.code], [409, 'call_sealed'])
    }
  })

  test('a JSON that breaks off, with the place', async () => {
    const { body } = await askBothWays({ body: '{"sequence":1,"data":oops}' }, async () => {})
    assert.deepEqual(body.detail, [
      {
        type: 'json_invalid',
        loc: ['body', 21],
        msg: 'The body is not valid JSON',
        input: null,
      },
    ])
  })

  test('what is asked about a call', async () => {
    await sendPacket(url, 'asked', 1)
    for (const [line, status] of [
      ['GET /v1/call/nobody', 404],
      ['POST /v1/call/complete/nobody', 404],
      ['GET /v1/call/asked', 200],
      ['POST /v1/call/complete/asked', 200],
    ] as const) {
      const answers: RawAnswer[] = []
      // A name with an underscore is left to Node's parser.
      for (const header of ['x-odd: 1', 'x_odd: 1']) {
        using exchange = openExchange(url)
        await exchange.write(`${line} HTTP/1.1\r\nHost: gateway\r\n${header}\r\n\r\n`)
        answers.push(await exchange.answer())
      }
      // The call goes on meanwhile: only who is meant and what there is to read stays the same.
      const [short, usual] = answers.map(comparable).map(({ body, headers, ...rest }) => {
        const { 'content-length': _length, ...others } = headers
        return { ...rest, headers: others, fields: Object.keys(body), callId: body.call_id }
      })
      assert.equal(short?.status, status)
      assert.deepEqual(short, usual)
    }
  })
})
