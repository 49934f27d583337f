// Messages on a packet stream that are refused: each is told by name, and the socket goes on.
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { getCall } from '../support/gateway.ts'
import { injections } from '../support/hostile-texts.ts'
import { frameOf } from '../support/packet-frames.ts'
import { connectPackets, packetMessage } from '../support/packet-socket.ts'
import { head, rawRequest } from '../support/raw-http.ts'
import { assertNoInsides, assertRefusal } from '../support/refusal.ts'
import { sharedGateway } from '../support/shared-gateway.ts'

const { gateway, database } = await sharedGateway()
const { url } = gateway
const longestMessage = 64 * 2 ** 10

type Case = readonly [what: string, message: object | string | Buffer, loc: readonly unknown[]]

const text: readonly Case[] = [
  ['no JSON', 'hello', ['body', 0]],
  ['nothing', '', ['body']],
  ['half a packet', '{"sequence":1,"data":"x"', ['body', 24]],
  ['65 levels', '['.repeat(65), ['body', 64]],
  ['an array', [packetMessage(1)], ['body']],
  ['a number', '7', ['body']],
  ['no field', {}, ['body', 'sequence']],
  ['a sequence that is text', { ...packetMessage(1), sequence: '1' }, ['body', 'sequence']],
  ['a sequence below 0', packetMessage(1, { sequence: -1 }), ['body', 'sequence']],
  ['no data', packetMessage(1, { data: '' }), ['body', 'data']],
  ['a timestamp of 0', packetMessage(1, { timestamp: 0 }), ['body', 'timestamp']],
  ['another track', packetMessage(1, { track: 'both' }), ['body', 'track']],
  ['a call that cannot be', packetMessage(1, { call_id: '_' }), ['body', 'call_id']],
  ['the call history', packetMessage(1, { call_id: 'history' }), ['body', 'call_id']],
  ['a type that is none', packetMessage(1, { type: 'hello' }), ['body', 'type']],
  ['a type that is no text', { type: { open: 1 } }, ['body', 'type']],
  ['the type null', { type: null }, ['body', 'type']],
  [
    'channel 0, which is the path’s',
    { type: 'open', channel: 0, call_id: 'a' },
    ['body', 'channel'],
  ],
  ['channel 65,536', { type: 'open', channel: 65_536, call_id: 'a' }, ['body', 'channel']],
  ['a channel without a call', { type: 'open', channel: 1 }, ['body', 'call_id']],
  [
    'a channel of the call history',
    { type: 'open', channel: 1, call_id: 'history' },
    ['body', 'call_id'],
  ],
  ['to complete what cannot be', { type: 'complete', call_id: 7 }, ['body', 'call_id']],
]

const binary: readonly Case[] = [
  ['nothing', Buffer.alloc(0), ['body', 'length']],
  ['a header without media', frameOf({ sequence: 1, media: Buffer.alloc(0) }), ['body', 'length']],
  ['another version', frameOf({ version: 2, sequence: 1 }), ['body', 'version']],
  ['another track', frameOf({ track: 3, sequence: 1 }), ['body', 'track']],
  ['a channel that was not opened', frameOf({ channel: 9, sequence: 1 }), ['body', 'channel']],
  ['a sequence of 2^53', frameOf({ sequence: 2 ** 53 }), ['body', 'sequence']],
  ['a timestamp of 0', frameOf({ sequence: 1, timestamp: 0 }), ['body', 'timestamp']],
  [
    'no number as a timestamp',
    frameOf({ sequence: 1, timestamp: Number.NaN }),
    ['body', 'timestamp'],
  ],
  [
    'an infinite timestamp',
    frameOf({ sequence: 1, timestamp: Number.POSITIVE_INFINITY }),
    ['body', 'timestamp'],
  ],
]

for (const [kind, cases] of [
  ['text', text],
  ['binary', binary],
] as const)
  suite(`a ${kind} message is refused by the place, not counted, and the socket stays open`, () => {
    for (const [index, [what, message, loc]] of cases.entries())
      test(what.trim(), async () => {
        const callId = `${kind}-${index}`
        using client = await connectPackets(url, callId)
        client.send(packetMessage(1))
        client.send(message)
        client.send(packetMessage(2))
        await client.hears({ type: 'ack', call_id: callId, through: 2, packets: 2 })
        const [error, ...more] = client.heard.filter(({ type }) => type === 'error')
        assert.deepEqual(more, [])
        assert.equal(error?.code, 'validation_failed')
        const [problem] = error.detail as { loc: unknown; msg: string; input: unknown }[]
        assert.deepEqual(problem?.loc, loc)
        assertNoInsides(problem.msg)
        assert.ok(JSON.stringify(problem.input).length < 300)
        assert.equal((await getCall(url, callId)).body.total_packets, 2)
      })
  })

test('a hundred messages that are refused are each told of, and none of what they say is obeyed', async () => {
  using client = await connectPackets(url, 'hostile')
  for (const hostile of injections) {
    client.send(hostile)
    client.send({ type: hostile })
    client.send(packetMessage(1, { call_id: `${hostile} ` }))
  }
  client.send(packetMessage(1))
  await client.hears({ type: 'ack', through: 1, packets: 1 })
  assert.equal(client.heard.length, 3 * injections.length + 1)
})

suite('a message', () => {
  test('may have 64 KiB', async () => {
    using client = await connectPackets(url, 'largest')
    const media = Buffer.alloc(longestMessage - 20, 'm')
    client.send(frameOf({ sequence: 1, media }))
    const room = longestMessage - JSON.stringify(packetMessage(2, { data: '' })).length
    client.send(packetMessage(2, { data: 'd'.repeat(room) }))
    await client.hears({ type: 'ack', through: 2, packets: 2 })
  })

  test('of more closes its socket with 1009, what came before is stored, and others go on', async () => {
    using other = await connectPackets(url, 'other')
    for (const large of [Buffer.alloc(longestMessage + 1), 'x'.repeat(longestMessage + 1)]) {
      using client = await connectPackets(url, 'too-large')
      client.send(packetMessage(1))
      await client.hears({ type: 'ack' })
      client.send(large)
      assert.equal(await client.closed, 1009)
    }
    other.send(packetMessage(1))
    await other.hears({ type: 'ack', through: 1 })
    assert.equal((await getCall(url, 'too-large')).body.total_packets, 1)
  })

  test('that is cut in fragments is one, and what is no WebSocket ends the connection', async () => {
    using client = await connectPackets(url, 'fragments')
    const message = Buffer.from(JSON.stringify(packetMessage(1)))
    for (const byte of message) client.socket.send(Buffer.of(byte), { binary: false, fin: false })
    client.socket.send('', { binary: false, fin: true })
    await client.hears({ type: 'ack', through: 1, packets: 1 })
    const reply = await rawRequest(url, [
      upgradeTo('/v1/call/stream/garbage'),
      Buffer.alloc(100, 0xff),
    ])
    assert.equal(reply.status, 101)
  })
})

function upgradeTo(path: string): string {
  return head('GET', path, {
    connection: 'Upgrade',
    upgrade: 'websocket',
    'sec-websocket-version': '13',
    'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
  })
}

suite('the path', () => {
  for (const path of ['_', 'history', 'a%00b', 'x?track=both', 'x?track=', 'c'.repeat(129)])
    test(`${path.slice(0, 20)} is refused before there is a socket`, async () =>
      assertRefusal(await rawRequest(url, [upgradeTo(`/v1/call/stream/${path}`)]), 422))

  test('asked for without an upgrade says how packets are sent', async () => {
    const response = await fetch(`${url}/v1/call/stream/x`)
    assert.equal(response.status, 426)
    assert.deepEqual(await response.json(), {
      detail: 'Packets are sent here by POST or over a WebSocket',
      code: 'upgrade_required',
    })
  })
})

test('none of it is a defect in the log, and nothing of it is stored', async () => {
  const defects = gateway.log.filter(({ level }) => level === 'error' || level === 'fatal')
  assert.deepEqual(defects, [])
  const { rows } = await database.pool.query<{ call_id: string }>(
    "SELECT call_id FROM calls WHERE call_id IN ('a', '_', 'x', 'history', 'garbage')",
  )
  assert.deepEqual(rows, [])
})
