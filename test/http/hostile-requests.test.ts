// What a client may send out of malice or by mistake: each is refused with a documented 4xx that shows nothing of
// the inside, and another client's call goes on meanwhile.
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { getCall, sendPacket } from '../support/gateway.ts'
import { head, type RawReply, rawRequest } from '../support/raw-http.ts'
import { assertRefusal } from '../support/refusal.ts'
import { sharedGateway } from '../support/shared-gateway.ts'
import { storedPackets } from '../support/stored-packets.ts'

const { gateway, database } = await sharedGateway()
const { url } = gateway
const limit = 2 ** 20
const packet = '{"sequence":1,"data":"audio chunk","timestamp":1}'
const path = '/v1/call/stream/hostile'

type Headers = Readonly<Record<string, string>>

function send(body: string | Buffer, headers: Headers = {}): Promise<RawReply> {
  const all = {
    'content-type': 'application/json',
    'content-length': String(Buffer.byteLength(body)),
    ...headers,
  }
  return rawRequest(url, [head('POST', path, all), body])
}

/** Without a status: any documented refusal, since it depends on how the bytes travel. */
type Case = readonly [
  name: string,
  body: string | Buffer,
  status: number | undefined,
  headers?: Headers,
]

const invalidUtf8 = Buffer.from('{"sequence":1,"data":"\xff\xfe","timestamp":1}', 'latin1')
const megabyte = `{"sequence":1,"timestamp":1,"data":"${'a'.repeat(limit)}"}`

const bodies: readonly Case[] = [
  ['no body at all', '', 422],
  ['a body that ends too early', packet.slice(0, -5), 422],
  ['a body that goes on', `${packet}${packet}`, 422],
  ['a list of things that are no packets', `[1,null,"x",[${packet}],{}]`, 422],
  ['a list of a packet and half a one', `[${packet},{"sequence":2}]`, 422],
  ['null', 'null', 422],
  ['a number', '1', 422],
  ['a text', JSON.stringify(packet), 422],
  ['a byte order mark', `\ufeff${packet}`, 422],
  ['invalid UTF-8', invalidUtf8, 422],
  ['UTF-16', Buffer.from(packet, 'utf16le'), 422],
  ['NUL bytes', Buffer.alloc(1000), 422],
  ['a lone surrogate, escaped', packet.replace('audio', '\\ud800'), 422],
  ['50,000 nested lists', '['.repeat(50_000) + ']'.repeat(50_000), 422],
  ['50,000 nested lists in an unknown field', nestedField(50_000), 422],
  ['a megabyte of opening brackets', '['.repeat(limit), 422],
  ['a megabyte of objects in objects', '{"a":'.repeat(limit / 5), 422],
  ['a megabyte of commas', ','.repeat(limit), 422],
  ['a length of one byte too much', '', 413, { 'content-length': String(limit + 1) }],
  ['a length of a terabyte', packet, 413, { 'content-length': String(2 ** 40) }],
  ['a length beyond all numbers', packet, 400, { 'content-length': '9'.repeat(30) }],
  ['no content type', packet, 415, { 'content-type': '' }],
  ['text/plain', packet, 415, { 'content-type': 'text/plain' }],
  ['a form', 'sequence=1', 415, { 'content-type': 'application/x-www-form-urlencoded' }],
  ['a form of parts', packet, 415, { 'content-type': 'multipart/form-data; boundary=x' }],
  ['XML', '<a/>', 415, { 'content-type': 'application/xml' }],
  ['a content type of nothing', packet, 415, { 'content-type': ';;;' }],
  ['a content type of 8 kB', packet, 415, { 'content-type': 'a'.repeat(8000) }],
  ['a body in gzip', gzipSync(packet), 415, { 'content-encoding': 'gzip' }],
  ['a bomb in gzip', gzipSync(Buffer.alloc(50 * limit)), 415, { 'content-encoding': 'gzip' }],
  ['an unknown encoding', packet, 415, { 'content-encoding': 'br, x' }],
]

function nestedField(depth: number): string {
  return packet.replace('{', `{"more":${'['.repeat(depth)}${']'.repeat(depth)},`)
}

const wire: readonly Case[] = [
  ['a length that is no number', packet, 400, { 'content-length': 'many' }],
  ['a negative length', packet, 400, { 'content-length': '-1' }],
  ['a length too short', packet, undefined, { 'content-length': '10' }],
  ['two lengths', packet, 400, { 'content-length': '49\r\ncontent-length: 48' }],
  [
    'a length and chunks',
    `1\r\n{\r\n0\r\n\r\n`,
    400,
    { 'transfer-encoding': 'chunked', 'content-length': '49' },
  ],
  ['a transfer encoding of its own', packet, 400, { 'transfer-encoding': 'gzip, identity' }],
  ['a header without a name', packet, 400, { '': 'x' }],
  ['a header with a NUL', packet, 400, { 'x-null': 'a\0b' }],
  ['100 kB of headers', packet, 431, { 'x-long': 'a'.repeat(100_000) }],
]

/** Chunks as they stand on the wire. */
const chunks: readonly Case[] = [
  ['a chunk whose size is no number', 'xyz\r\n{}\r\n0\r\n\r\n', 400],
  ['a negative chunk', '-1\r\n{}\r\n0\r\n\r\n', 400],
  ['a chunk of 2^64 bytes', 'ffffffffffffffffff\r\n{}\r\n', 400],
  ['a chunk longer than it says', '2\r\n{}{}{}\r\n0\r\n\r\n', 400],
  ['chunk extensions without end', `1;${'a'.repeat(100_000)}\r\n{\r\n`, 400],
  ['chunks of one byte too much', `${chunk('a'.repeat(2 ** 16)).repeat(16)}1\r\na`, 413],
  ['20,000 chunks of one byte', `${chunk('[').repeat(20_000)}0\r\n\r\n`, 422],
]

function chunk(text: string): string {
  return `${text.length.toString(16)}\r\n${text}\r\n`
}

/** Another client's call, a packet at a time, until the work is done: each one is accepted. */
async function meanwhile<T>(callId: string, work: () => Promise<T>): Promise<T> {
  let done = false
  let sequence = 0
  async function goOn(): Promise<void> {
    do {
      sequence += 1
      const { status, body } = await sendPacket(url, callId, sequence)
      assert.deepEqual([status, body.status], [202, 'accepted'])
    } while (!done)
  }
  const other = goOn()
  const result = await work().finally(() => {
    done = true
  })
  await other
  assert.equal((await getCall(url, callId)).body.total_packets, sequence)
  return result
}

suite('a hostile body is refused while another call goes on', () => {
  for (const [index, [name, body, status, headers]] of bodies.entries())
    test(`${name}: ${status ?? '4xx'}`, async () =>
      assertRefusal(await meanwhile(`beside-body-${index}`, () => send(body, headers)), status))
})

suite('a request that is not quite HTTP is refused while another call goes on', () => {
  for (const [index, [name, body, status, headers]] of wire.entries())
    test(`${name}: ${status ?? '4xx'}`, async () =>
      assertRefusal(await meanwhile(`beside-wire-${index}`, () => send(body, headers)), status))

  for (const [index, [name, body, status]] of chunks.entries())
    test(`${name}: ${status ?? '4xx'}`, async () => {
      const start = head('POST', path, {
        'content-type': 'application/json',
        'transfer-encoding': 'chunked',
      })
      const reply = await meanwhile(`beside-chunks-${index}`, () => rawRequest(url, [start, body]))
      assertRefusal(reply, status)
    })

  for (const [name, line] of [
    ['no HTTP', 'SSH-2.0-OpenSSH_9.2\r\n\r\n'],
    ['a TLS greeting', Buffer.from([0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3])],
    ['an unknown method', head('BREW', '/v1/call/stream/x')],
    ['an HTTP of the future', 'GET / HTTP/9.9\r\nhost: x\r\n\r\n'],
  ] as const)
    test(`${name}: 400`, async () => assertRefusal(await rawRequest(url, [line]), 400))

  test('no host: 400, in the words of HTTP', async () => {
    const reply = await rawRequest(url, ['GET /health HTTP/1.1\r\nconnection: close\r\n\r\n'])
    assert.equal(reply.status, 400)
  })

  test('a client that dies in the middle of its body stores nothing', async () => {
    const start = head('POST', '/v1/call/stream/died', {
      'content-type': 'application/json',
      'content-length': String(packet.length),
    })
    const reply = await meanwhile('beside-death', () =>
      rawRequest(url, [start, packet.slice(0, -1)], { end: true }),
    )
    if (reply.status !== undefined) assertRefusal(reply)
    assert.equal((await getCall(url, 'died')).status, 404)
  })
})

suite('what only looks hostile is accepted', () => {
  const accepted: readonly (readonly [name: string, body: string, headers?: Headers])[] = [
    ['unknown fields', packet.replace('{', '{"call_id":"other","more":{"a":[1]},')],
    ['a field written twice: the last counts', packet.replace('{', '{"sequence":-7,')],
    ['fields of the prototype', packet.replace('{', '{"__proto__":{"data":1},"constructor":1,')],
    ['a list of packets', `[${packet},${packet}]`],
    ['an empty list', '[]'],
    ['white space', ` \r\n\t${packet}\n`],
    ['a charset', packet, { 'content-type': 'application/json; charset=utf-8' }],
    ['a content type in capitals', packet, { 'content-type': 'Application/JSON' }],
    ['the encoding identity', packet, { 'content-encoding': 'identity' }],
    ['a body nearly at the limit', megabyte.replace('a'.repeat(100), '')],
  ]
  for (const [name, body, headers] of accepted)
    test(name, async () => assert.equal((await send(body, headers)).status, 202))

  test('chunks of one byte', async () => {
    const pieces = [...packet].map(chunk)
    const start = head('POST', '/v1/call/stream/crumbs', {
      'content-type': 'application/json',
      'transfer-encoding': 'chunked',
    })
    const reply = await rawRequest(url, [start, ...pieces, '0\r\n\r\n'])
    assert.equal(reply.status, 202, reply.body)
    const stored = await storedPackets(database.pool, 'crumbs')
    assert.deepEqual(String(stored[0]?.data), 'audio chunk')
  })
})

test('none of it is a defect in the log', async () => {
  for (const [, body, , headers] of [...bodies, ...wire]) await send(body, headers)
  const defects = gateway.log.filter(({ level }) => level === 'error' || level === 'fatal')
  assert.deepEqual(defects, [])
})
