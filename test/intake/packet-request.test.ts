// What the shortcut takes for a request is one to Node's parser as well, of the same bytes: else somebody could hide a
// request from one of the two (request smuggling).
import assert from 'node:assert/strict'
import { createServer, type IncomingMessage } from 'node:http'
import { type Duplex, duplexPair } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { suite, test } from 'node:test'
import fc from 'fast-check'
import {
  type CallRequest,
  type PacketRequest,
  readRequest,
} from '../../src/intake/packet-request.ts'

const body = '{"sequence":1,"data":"audio","timestamp":1}'

function requestOf(headers: readonly string[], target = '/v1/call/stream/a'): Buffer {
  return Buffer.from(`POST ${target} HTTP/1.1\r\n${headers.join('\r\n')}\r\n\r\n${body}`, 'latin1')
}

function askAbout(method: string, path: string, headers = ['Host: gateway']): Buffer {
  return Buffer.from(`${method} ${path} HTTP/1.1\r\n${headers.join('\r\n')}\r\n\r\n`)
}

const usual = ['Host: gateway', 'Content-Type: application/json', `Content-Length: ${body.length}`]

/** What Node's parser makes of bytes: the requests in them, and whether there was anything else. */
async function readByNode(bytes: Buffer) {
  const requests: { request: IncomingMessage; body: Buffer }[] = []
  let isBroken = false
  const server = createServer(async (request, response) => {
    requests.push({ request, body: await buffer(request).catch(() => Buffer.alloc(0)) })
    response.end()
  })
  server.on('clientError', (_error, socket: Duplex) => {
    isBroken = true
    socket.destroy()
  })
  server.on('upgrade', (_request, socket: Duplex) => {
    isBroken = true
    socket.destroy()
  })
  const [client, socket] = duplexPair()
  const over = new Promise((resolve) => socket.once('close', resolve))
  server.emit('connection', socket)
  client.write(bytes)
  // An answer, or nothing because the parser waits for more.
  const patience = setTimeout(() => client.end(), 500)
  client.once('data', () => client.end())
  await over
  clearTimeout(patience)
  return { requests, isBroken }
}

suite('a request with a packet is read', () => {
  test('with its call, its track and its body', () => {
    const bytes = requestOf(usual, '/v1/call/stream/A.b:c~d@e+f-1?track=outbound')
    assert.deepEqual(readRequest(bytes), {
      kind: 'packet',
      callId: 'A.b:c~d@e+f-1',
      track: 'outbound',
      body: Buffer.from(body),
      length: bytes.length,
    })
  })

  test('and nothing of what follows it', () => {
    const first = requestOf(usual)
    const read = readRequest(Buffer.concat([first, Buffer.from('POST /v1/call')]))
    assert.ok(typeof read === 'object' && read.kind === 'packet')
    assert.deepEqual([read.length, String(read.body)], [first.length, body])
  })

  test('as at first, when its head came before, and after those of more calls than are remembered', () => {
    const others = (call: number) => requestOf(usual, `/v1/call/stream/call-${call}`)
    const first = requestOf(usual, '/v1/call/stream/first?track=inbound')
    const refused = requestOf([...usual, 'Expect: 100-continue'])
    const read = readRequest(first)
    for (let call = 0; call < 25_000; call += 1) {
      const other = readRequest(others(call))
      assert.ok(typeof other === 'object' && other.kind === 'packet')
      assert.equal(other.callId, `call-${call}`)
      if (call % 5_000 !== 0) continue
      assert.deepEqual(readRequest(first), read)
      assert.equal(readRequest(refused), 'other')
    }
  })

  test('with headers of all kinds, in any case and order', () => {
    for (const more of [
      'accept: */*',
      'CONNECTION: Keep-Alive',
      'X-Request-Id:1',
      'authorization: Bearer a.b=c',
      'x: !#$%&\'*+-.^_`|~ "quoted, with: signs"',
    ])
      assert.equal(typeof readRequest(requestOf([more, ...usual.toReversed()])), 'object')
  })
})

suite('a request about a call is read', () => {
  test('that asks for it, or says that it is over', () => {
    for (const [method, path] of [
      ['GET', '/v1/call/A.b:c~d@e+f-1'],
      ['GET', '/v1/call/historyless'],
      ['POST', '/v1/call/complete/a'],
      ['POST', '/v1/call/complete/complete'],
    ] as const) {
      const bytes = askAbout(method, path)
      const more = Buffer.concat([bytes, Buffer.from('GET /')])
      assert.deepEqual(readRequest(more), { kind: 'call', method, path, length: bytes.length })
    }
  })

  test('whether it says that it has no body or not', () => {
    const headers = ['Host: gateway', 'Content-Type: application/json', 'Content-Length: 0']
    const read = readRequest(askAbout('POST', '/v1/call/complete/a', headers))
    assert.equal(typeof read, 'object')
  })

  test('and no other', () => {
    for (const [method, path] of [
      ['GET', '/v1/call/history'],
      ['GET', '/v1/call/a/timeline'],
      ['GET', '/v1/call/a?x=1'],
      ['GET', '/v1/call/complete/a'],
      ['GET', '/v1/calls'],
      ['POST', '/v1/call/a'],
      ['POST', '/v1/call/complete/history'],
      ['POST', '/v1/call/a/reprocess'],
      ['HEAD', '/v1/call/a'],
      ['DELETE', '/v1/call/a'],
    ] as const)
      assert.equal(readRequest(askAbout(method, path)), 'other', `${method} ${path}`)
    for (const header of ['Content-Length: 2', 'Transfer-Encoding: chunked', 'Upgrade: websocket'])
      assert.equal(
        readRequest(askAbout('POST', '/v1/call/complete/a', ['Host: gateway', header])),
        'other',
      )
    assert.equal(readRequest(askAbout('GET', '/v1/call/a', ['X: no host'])), 'other')
  })
})

suite('it is waited for the rest of', () => {
  test('a request, wherever it is cut', () => {
    for (const whole of [requestOf(usual), askAbout('GET', '/v1/call/a')])
      for (let length = 1; length < whole.length; length += 1)
        assert.equal(readRequest(whole.subarray(0, length)), 'incomplete', `${length} bytes`)
  })

  test('but not of one that will be long, in its head or in its body', () => {
    const length = `Content-Length: ${2 ** 14}`
    assert.equal(readRequest(requestOf([...usual.slice(0, 2), length])), 'other')
    const endless = Buffer.from(`POST /v1/call/stream/${'a'.repeat(2 ** 14)}`)
    assert.equal(readRequest(endless), 'other')
  })
})

suite('it is left to others', () => {
  const cases: readonly (readonly [name: string, bytes: Buffer])[] = [
    ['another method', Buffer.from('PUT ')],
    ['another path', Buffer.from('POST /v1/media')],
    ['TLS', Buffer.from([0x16, 3, 1])],
    ['the history', requestOf(usual, '/v1/call/stream/history')],
    ['another query', requestOf(usual, '/v1/call/stream/a?track=inbound&more=1')],
    ['an id that is none', requestOf(usual, '/v1/call/stream/%61')],
    ['HTTP/1.0', Buffer.from(String(requestOf(usual)).replace('HTTP/1.1', 'HTTP/1.0'))],
    ['lines without CR', Buffer.from(String(requestOf(usual)).replace('\r\nHost', '\nHost'))],
    ['a head that Node would refuse', requestOf([...usual, `x: ${'a'.repeat(2 ** 14)}`])],
    ['no host', requestOf(usual.slice(1))],
    ['no length', requestOf(usual.slice(0, 2))],
    ...[
      'Host: other',
      'Content-Length: 43',
      'Content-Type: application/json',
      'Transfer-Encoding: chunked',
      'Content-Encoding: gzip',
      'Connection: close',
      'Connection: keep-alive, upgrade',
      'Proxy-Connection: close',
      'Expect: 100-continue',
      'Upgrade: websocket',
      'TE: trailers',
      'Trailer: x',
      ' folded: line',
      'x : space before the colon',
      'x: ends with a space ',
      'x:\ttab',
      'x: \u00ff',
      'x: a\u0000b',
      'x: a\rb',
      'x: a\nb',
      'no colon',
      ': no name',
    ].map((more) => [JSON.stringify(more), requestOf([...usual, more])] as const),
    ...['+43', '-43', '0x2b', '43.0', '43,43', '4 3', '', '43000000'].map(
      (length) =>
        [
          `a length of “${length}”`,
          requestOf([...usual.slice(0, 2), `Content-Length: ${length}`]),
        ] as const,
    ),
  ]
  for (const [name, bytes] of cases) test(name, () => assert.equal(readRequest(bytes), 'other'))
})

function targetOf(read: PacketRequest | CallRequest): string {
  if (read.kind === 'call') return read.path
  const track = read.track === 'mixed' ? '' : `?track=${read.track}`
  return `/v1/call/stream/${read.callId}${track}`
}

test('whatever comes: what is taken for a request is the same one to Node, to its last byte', async () => {
  const pieces = fc.constantFrom(
    ...usual,
    'Transfer-Encoding: chunked',
    'Transfer-Encoding: identity',
    'transfer-encoding:chunked',
    'Content-Length: 0',
    'Content-Length: 1',
    'Content-Length: 043',
    'Content-Length : 43',
    'Connection: upgrade',
    'Upgrade: websocket',
    'Expect: 100-continue',
    'X: y',
    'X:',
    'X:\t',
    ' y',
    '\r\nPOST /v1/call/stream/b HTTP/1.1',
    '\n',
    '\r',
    '',
  )
  const change = fc.record({ place: fc.nat(300), byte: fc.integer({ min: 0, max: 255 }) })
  let taken = 0
  await fc.assert(
    fc.asyncProperty(
      fc.array(pieces, { maxLength: 3 }),
      fc.oneof(fc.constant(usual), fc.shuffledSubarray(usual, { minLength: 2 })),
      fc.array(change, { maxLength: 2 }),
      fc.boolean(),
      async (more, headers, changes, hasPacket) => {
        const bytes = hasPacket
          ? requestOf([...headers, ...more])
          : askAbout('POST', '/v1/call/complete/a', [...headers.slice(0, 2), ...more])
        for (const { place, byte } of changes) if (place < bytes.length) bytes[place] = byte
        const read = readRequest(bytes)
        if (typeof read === 'string') return
        taken += 1
        const { requests, isBroken } = await readByNode(bytes.subarray(0, read.length))
        assert.deepEqual([isBroken, requests.length], [false, 1])
        const { method, url = '' } = requests[0]?.request ?? {}
        assert.equal(method, read.kind === 'packet' ? 'POST' : read.method)
        assert.deepEqual(requests[0]?.body, read.kind === 'packet' ? read.body : Buffer.alloc(0))
        assert.equal(url.replace('?track=mixed', ''), targetOf(read))
      },
    ),
    { numRuns: 3_000 },
  )
  assert.ok(taken > 300, `only ${taken} of 3,000 were taken`)
})
