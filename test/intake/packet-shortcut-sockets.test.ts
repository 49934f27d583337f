// What the shortcut does with a connection: which requests it answers, when it gives the connection away, when it
// closes it, and how it treats clients that are slow to send or to read.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { suite, test } from 'node:test'
import type { Answer } from '../../src/intake/packet-intake.ts'
import { packetShortcut, type UsualWay } from '../../src/intake/packet-shortcut.ts'
import { headOf, packet, ways } from '../support/both-ways.ts'
import { openExchange } from '../support/raw-exchange.ts'
import { until } from '../support/until.ts'

const [short] = ways

function request(sequence: number): string {
  const body = packet(sequence)
  return headOf('call', short, { body }) + body
}

/** Listens with a shortcut whose packets are answered by the test, or at once. */
async function listen({ keepAliveMs = 60_000, incompleteMs = 60_000, answersAtOnce = false } = {}) {
  const waiting: Answer[] = []
  const sockets: Socket[] = []
  /** What was given away, and what had not been read from it; what broke off. */
  const given: string[] = []
  let refused = 0
  let isClosing = false
  let taken = 0
  const shortcut = packetShortcut({
    intake: {
      takeBytes: (_callId, _track, _body, answer) => {
        taken += 1
        if (answersAtOnce) answer.accepted(`{"number":${taken}}`)
        else waiting.push(answer)
      },
    },
    keepAliveMs,
    incompleteMs,
    onError: () => {},
  })
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    sockets.push(socket)
    const usual: UsualWay = {
      ask: async ({ method, path }) => {
        if (isClosing) throw new Error('closing')
        return { status: 200, headers: { 'retry-after': '1' }, body: `${method} ${path} ☎` }
      },
      take: () => {
        const place = given.push('') - 1
        socket.on('data', (chunk) => {
          given[place] += String(chunk)
        })
        // As Node does; the client's end is one.
        socket.on('end', () => socket.end())
      },
      refuse: () => {
        refused += 1
        socket.end()
      },
    }
    shortcut.take(socket, usual)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    shortcut,
    sockets,
    given,
    taken: () => taken,
    refused: () => refused,
    /** The usual way answers nothing any more. */
    closeUsualWay: () => {
      isClosing = true
    },
    /** Answers the packet that has waited longest. */
    answer: async (text: string) =>
      (await until('a packet', () => waiting.shift())).accepted(`{"answer":"${text}"}`),
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}

suite('the shortcut', () => {
  test('answers packet after packet on one connection', async () => {
    await using server = await listen()
    using client = openExchange(server.url)
    for (const sequence of [1, 2, 3]) {
      await client.write(request(sequence))
      await server.answer(String(sequence))
      const { status, headers, body } = await client.answer()
      assert.deepEqual([status, body], [202, `{"answer":"${sequence}"}`])
      assert.deepEqual([headers.connection, headers['keep-alive']], ['keep-alive', 'timeout=60'])
      assert.ok(Math.abs(Date.parse(headers.date ?? '') - Date.now()) < 60_000)
    }
    assert.deepEqual(server.given, [])
  })

  test('waits for the rest of a request', async () => {
    await using server = await listen({ answersAtOnce: true })
    using client = openExchange(server.url)
    for (const byte of Buffer.from(request(1))) await client.write(Buffer.of(byte))
    assert.equal((await client.answer()).status, 202)
    assert.deepEqual(server.given, [])
  })

  test('gives away what is not whole after a moment', async () => {
    await using server = await listen({ incompleteMs: 1 })
    using client = openExchange(server.url)
    await client.write(request(1).slice(0, -1))
    await until('it is given away', () => server.given[0] === request(1).slice(0, -1))
    await client.write('}')
    await until('the rest is, too', () => server.given[0] === request(1))
    assert.equal(server.taken(), 0)
  })

  test('gives a connection away for good, with what was not answered, in its order', async () => {
    await using server = await listen()
    using client = openExchange(server.url)
    const other = 'GET /health HTTP/1.1\r\nHost: gateway\r\n\r\n'
    await client.write(request(1) + request(2) + other + request(3))
    await server.answer('first')
    await server.answer('second')
    assert.match((await client.answer()).body, /first/)
    assert.match((await client.answer()).body, /second/)
    await until('the rest is given away', () => server.given[0] === other + request(3))
    await client.write(request(4))
    await until('and all that follows', () => server.given[0] === other + request(3) + request(4))
    assert.equal(server.taken(), 2)
  })

  test('passes on what is asked about calls between packets, and keeps the connection', async () => {
    await using server = await listen({ answersAtOnce: true })
    using client = openExchange(server.url)
    const ask = (line: string) => `${line} HTTP/1.1\r\nHost: gateway\r\n\r\n`
    const complete = ask('POST /v1/call/complete/call')
    await client.write(request(1) + complete + request(2) + ask('GET /v1/call/call') + request(3))
    assert.equal((await client.answer()).body, '{"number":1}')
    const { status, headers, body } = await client.answer()
    assert.deepEqual([status, body], [200, 'POST /v1/call/complete/call ☎'])
    assert.deepEqual([headers['retry-after'], headers.connection], ['1', 'keep-alive'])
    assert.equal((await client.answer()).body, '{"number":2}')
    assert.equal((await client.answer()).body, 'GET /v1/call/call ☎')
    assert.equal((await client.answer()).body, '{"number":3}')
    assert.deepEqual(server.given, [])

    server.closeUsualWay()
    await client.write(complete)
    const refusal = await client.answer()
    assert.deepEqual([refusal.status, JSON.parse(refusal.body).code], [503, 'shutting_down'])
  })

  test('gives away a connection on which nothing comes', async () => {
    await using server = await listen()
    using _client = openExchange(server.url)
    await until('it is given away', () => server.given.length === 1)
    assert.equal(server.given[0], '')
  })

  test('takes one request of a connection at a time', async () => {
    await using server = await listen()
    using client = openExchange(server.url)
    await client.write(request(1))
    await until('the first is taken', () => server.taken() === 1)
    await client.write(request(2) + request(3))
    await until('all is there', () => server.sockets[0]?.bytesRead === 3 * request(1).length)
    for (const sequence of [1, 2, 3]) {
      await until('the packet is taken', () => server.taken() === sequence)
      await server.answer(String(sequence))
      assert.equal((await client.answer()).body, `{"answer":"${sequence}"}`)
    }
  })

  test('answers what came before the client’s end, and then ends as well', async () => {
    await using server = await listen()
    using client = openExchange(server.url)
    await client.write(request(1) + request(2))
    client.socket.end()
    await server.answer('first')
    await server.answer('second')
    assert.match((await client.answer()).body, /first/)
    assert.match((await client.answer()).body, /second/)
    await until('the end', () => client.isClosed())
    assert.equal(server.refused(), 0)
  })

  test('closes the connection of a client that ends between two requests', async () => {
    await using server = await listen({ answersAtOnce: true })
    using client = openExchange(server.url)
    await client.write(request(1))
    await client.answer()
    client.socket.end()
    await until('the end', () => client.isClosed())
    assert.equal(server.refused(), 0)
  })

  test('has a client refused that ends in the middle of a request', async () => {
    await using server = await listen()
    using client = openExchange(server.url)
    await client.write(request(1).slice(0, -1))
    client.socket.end()
    await until('the end', () => client.isClosed())
    assert.deepEqual([server.refused(), server.taken()], [1, 0])
  })

  test('closes a connection on which nothing is asked any more, but none that waits for its answer', async () => {
    await using server = await listen({ keepAliveMs: 200 })
    using idle = openExchange(server.url)
    await idle.write(request(1))
    await server.answer('idle')
    await idle.answer()
    using waits = openExchange(server.url)
    await waits.write(request(1))
    await until('the idle one is closed', () => idle.isClosed())
    using later = openExchange(server.url)
    await later.write(request(1))
    await server.answer('waits')
    await server.answer('later')
    assert.match((await waits.answer()).body, /waits/)
    await until('the later one is closed', () => later.isClosed())
  })

  test('stops answering a client that does not read, until it reads', async () => {
    const requests = 60_000
    await using server = await listen({ answersAtOnce: true })
    using client = openExchange(server.url)
    await client.write(request(1))
    await client.answer()
    client.socket.pause()
    const [socket] = server.sockets
    assert.ok(socket !== undefined)
    const all = Buffer.from(request(2).repeat(requests))
    const sent = client.write(all)
    await until('the way to the client is full', () => socket.writableNeedDrain)
    assert.ok(server.taken() < requests, 'else the kernel took in all')
    assert.ok(socket.writableLength < 100_000, `${socket.writableLength} bytes wait`)
    client.socket.resume()
    await sent
    await until('every answer', () => client.rest().endsWith(`{"number":${requests + 1}}`))
  })
})

suite('at its end, the shortcut', () => {
  test('closes idle connections, answers those that wait, and gives away what is not whole', async () => {
    await using server = await listen()
    using idle = openExchange(server.url)
    await idle.write(request(1))
    await server.answer('idle')
    await idle.answer()
    using begun = openExchange(server.url)
    await begun.write(request(1).slice(0, -1))
    using waits = openExchange(server.url)
    await waits.write(request(1) + request(2))
    await until('it is taken', () => server.taken() === 2)
    await until('both are there', () => (server.sockets[1]?.bytesRead ?? 0) > 0)

    server.shortcut.close()
    await until('the idle one is closed', () => idle.isClosed())
    await until(
      'what is not whole is given away',
      () => server.given[0] === request(1).slice(0, -1),
    )
    await server.answer('waits')
    const { headers, body } = await waits.answer()
    assert.deepEqual([headers.connection, body], ['close', '{"answer":"waits"}'])
    await until('it is closed', () => waits.isClosed())
    using late = openExchange(server.url)
    await late.write(request(1))
    await until('a new one is given away', () => server.given[1] === request(1))
  })
})
