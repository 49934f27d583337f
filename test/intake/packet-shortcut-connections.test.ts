// The shortcut past the framework and the framework's way, where more than the bytes of a request matters: pieces,
// pipelines, clients that break off, shutdowns.
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { headOf, packet, ways } from '../support/both-ways.ts'
import { connect, createDatabase, databaseUrl } from '../support/database.ts'
import { getCall, sendPacket, startGateway } from '../support/gateway.ts'
import { openExchange } from '../support/raw-exchange.ts'
import { sharedGateway } from '../support/shared-gateway.ts'
import { storedPackets } from '../support/stored-packets.ts'
import { until } from '../support/until.ts'

const { gateway, database } = await sharedGateway()
const { url } = gateway

/** A connection for each way, and a call. */
function connectBothWays(callName: string) {
  return ways.map((way) => ({
    way,
    exchange: openExchange(url),
    callId: `${way.name}-${callName}`,
  }))
}

suite('both ways', () => {
  test('a body may come in many pieces', async () => {
    for (const { way, exchange, callId } of connectBothWays('pieces')) {
      using _open = exchange
      const body = packet(1).replace('audio', '☎️')
      await exchange.write(headOf(callId, way, { body }))
      for (const byte of Buffer.from(body)) await exchange.write(Buffer.of(byte))
      assert.equal((await exchange.answer()).status, 202)
      const [stored] = await storedPackets(database.pool, callId)
      assert.equal(String(stored?.data), '☎️ chunk')
    }
  })

  test('a body may come in chunks of HTTP', async () => {
    for (const { way, exchange, callId } of connectBothWays('chunks')) {
      using _open = exchange
      await exchange.write(
        headOf(callId, way, {
          body: '',
          isChunked: true,
          headers: ['Transfer-Encoding: chunked'],
        }),
        ...[...packet(1)].map((character) => `1\r\n${character}\r\n`),
        '0\r\n\r\n',
      )
      assert.equal((await exchange.answer()).status, 202)
    }
  })

  test('a client that waits for 100 Continue is told to go on', async () => {
    for (const { way, exchange, callId } of connectBothWays('continue')) {
      using _open = exchange
      const headers = ['Expect: 100-continue']
      await exchange.write(headOf(callId, way, { body: packet(1), headers }))
      assert.equal((await exchange.answer()).status, 100)
      await exchange.write(packet(1))
      assert.equal((await exchange.answer()).status, 202)
    }
  })

  test('requests on one connection are answered in their order, mixed with others', async () => {
    using exchange = openExchange(url)
    const sequences = Array.from({ length: 100 }, (_, index) => index + 1)
    const lines = sequences.flatMap((sequence) => {
      const way = ways[sequence % 2] ?? ways[0]
      const wrong = sequence % 10 === 0 ? packet('"no"') : packet(sequence)
      return [
        headOf(`pipe-${sequence % 3}`, way, { body: wrong }) + wrong,
        ...(sequence % 7 === 0 ? ['GET /nowhere HTTP/1.1\r\nHost: gateway\r\n\r\n'] : []),
      ]
    })
    await exchange.write(lines.join(''))
    for (const sequence of sequences) {
      const answer = await exchange.answer()
      if (sequence % 10 === 0) assert.equal(answer.status, 422)
      else assert.equal(JSON.parse(answer.body).sequence, sequence)
      if (sequence % 7 === 0) assert.equal((await exchange.answer()).status, 404)
    }
    assert.equal(exchange.rest(), '')
  })

  test('a client that breaks off in the middle of a body stores nothing, and is no defect', async () => {
    for (const { way, exchange, callId } of connectBothWays('aborted')) {
      await exchange.write(headOf(callId, way, { body: packet(1) }), packet(1).slice(0, -1))
      exchange.socket.destroy()
      // Packets of a call are taken in order: what came before this one is settled.
      assert.equal((await sendPacket(url, `${way.name}-after`, 1)).status, 202)
      assert.equal((await getCall(url, callId)).status, 404)
    }
    const defects = gateway.log.filter(({ level }) => level === 'error' || level === 'fatal')
    assert.deepEqual(defects, [])
  })

  test('a database that does not answer is told in the same words, and when to come again', async () => {
    await using gone = await createDatabase()
    await using hasty = await startGateway(gone.url, { PACKET_PATIENCE_SECONDS: '0.05' })
    await using server = await connect(databaseUrl())
    const name = new URL(gone.url).pathname.slice(1)
    await server.query(`ALTER DATABASE ${name} ALLOW_CONNECTIONS false`)
    await server.query(
      'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1',
      [name],
    )
    const answers = await Promise.all(
      ways.map(async (way) => {
        using exchange = openExchange(hasty.url)
        // Of one call: they go the same way from the border on.
        await exchange.write(headOf('stuck', way, { body: packet(1) }), packet(1))
        const { status, headers, body } = await exchange.answer()
        return { status, body, retryAfter: headers['retry-after'], type: headers['content-type'] }
      }),
    )
    assert.deepEqual(answers[0], answers[1])
    assert.deepEqual([answers[0]?.status, answers[0]?.retryAfter], [503, '1'])
  })

  test('a request that is under way at a shutdown is served, and its connection closed', async () => {
    await using leaving = await startGateway(database.url)
    const open = ways.map((way) => ({ way, exchange: openExchange(leaving.url) }))
    for (const { way, exchange } of open) {
      const callId = `${way.name}-leaving`
      await exchange.write(headOf(callId, way, { body: packet(1) }), packet(1).slice(0, -1))
      await sendPacket(leaving.url, callId, 2)
    }
    leaving.kill('SIGTERM')
    await until('no new connection is taken', async () => {
      using probe = openExchange(leaving.url)
      await until('an end', () => probe.isClosed() || probe.socket.readyState === 'open')
      return probe.isClosed()
    })
    for (const { way, exchange } of open) {
      await exchange.write('}')
      const { status, headers, body } = await exchange.answer()
      assert.deepEqual([status, headers.connection], [202, 'close'], way.name)
      assert.equal(JSON.parse(body).late, true)
    }
    assert.equal(await leaving.exited, 0)
  })
})
