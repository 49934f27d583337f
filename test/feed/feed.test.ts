import assert from 'node:assert/strict'
import { once } from 'node:events'
import { suite, test } from 'node:test'
import WebSocket from 'ws'
import { assertNoHoles, connectFeed, nameOf } from '../support/feed-client.ts'
import { completeCall, sendPacket } from '../support/gateway.ts'
import { head, rawRequest } from '../support/raw-http.ts'
import { assertRefusal } from '../support/refusal.ts'
import { sharedGateway } from '../support/shared-gateway.ts'
import { until } from '../support/until.ts'

const { gateway } = await sharedGateway()
const { url } = gateway
const time = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/

suite('a client', () => {
  test('is welcomed by its name', async () => {
    await using client = await connectFeed(url, '/ws/desk-3')
    const { timestamp, position, ...rest } = client.messages[0] ?? { type: 'none' }
    assert.match(String(timestamp), time)
    assert.ok(Number.isSafeInteger(position))
    assert.deepEqual(rest, { type: 'connected', message: 'Welcome client desk-3' })
  })

  test('without a name is given one of its own', async () => {
    await using one = await connectFeed(url)
    await using other = await connectFeed(url)
    const welcomes = [one, other].map(({ messages }) => String(messages[0]?.message))
    for (const welcome of welcomes) assert.match(welcome, /^Welcome client [0-9a-f-]{36}$/)
    assert.notEqual(welcomes[0], welcomes[1])
  })

  test('hears back whatever it says, in the order in which it says it', async () => {
    await using client = await connectFeed(url)
    const said = ['ping', '', '{"type":"x"}', 'ünï ☎️ \0', '<b>', 'a'.repeat(60_000)]
    for (const text of said) client.socket.send(text)
    const pongs = await until('the pongs', () => {
      const found = client.messages.filter(({ type }) => type === 'pong')
      return found.length === said.length && found
    })
    assert.deepEqual(
      pongs.map(({ received }) => received),
      said,
    )
    for (const pong of pongs) {
      assert.deepEqual(Object.keys(pong), ['type', 'received', 'timestamp'])
      assert.match(String(pong.timestamp), time)
    }
  })

  test('that says too much at once is disconnected, and nobody else', async () => {
    await using other = await connectFeed(url)
    await using client = await connectFeed(url)
    client.socket.send('a'.repeat(64 * 2 ** 10 + 1))
    assert.equal(await client.closed, 1009)
    await sendPacket(url, 'after-too-much', 1)
    await other.sees('after-too-much', 'IN_PROGRESS')
  })

  test('replaces no other client of its name: both get everything', async () => {
    await using one = await connectFeed(url, '/ws/twin')
    await using two = await connectFeed(url, '/ws/twin')
    await sendPacket(url, 'twins', 1)
    await completeCall(url, 'twins')
    for (const twin of [one, two]) await twin.sees('twins', 'ARCHIVED')
    const of = (events: ReturnType<typeof one.events>) =>
      events.filter(({ call_id }) => call_id === 'twins')
    assert.deepEqual(of(one.events()), of(two.events()))
    assert.ok(of(one.events()).length >= 5)
  })
})

suite('the events of a call', () => {
  test('are one for each transition and one for the result, in their order, without holes', async () => {
    await using client = await connectFeed(url)
    const start = client.position()
    await sendPacket(url, 'life', 1, 'a wonderful day')
    await completeCall(url, 'life')
    await client.sees('life', 'ARCHIVED')
    assertNoHoles(client.events(), start)
    const events = client.events().filter(({ call_id }) => call_id === 'life')
    assert.deepEqual(events.map(nameOf), [
      'IN_PROGRESS',
      'COMPLETED',
      'PROCESSING_AI',
      'ai_result',
      'ARCHIVED',
    ])
    for (const event of events) {
      assert.match(String(event.timestamp), time)
      assert.deepEqual(
        Object.keys(event).toSorted(),
        event.type === 'ai_result'
          ? ['call_id', 'position', 'sentiment', 'summary', 'timestamp', 'transcription', 'type']
          : ['call_id', 'data', 'position', 'status', 'timestamp', 'type'],
      )
    }
    const [created, completed, processing, result, archived] = events
    assert.deepEqual(created?.data, { previous_status: null, version: 1 })
    assert.deepEqual(completed?.data, {
      previous_status: 'IN_PROGRESS',
      version: 2,
      cause: 'endpoint',
    })
    assert.deepEqual(processing?.data, { previous_status: 'COMPLETED', version: 3, attempt: 1 })
    assert.deepEqual([result?.transcription, result?.sentiment], ['a wonderful day', 'positive'])
    assert.deepEqual(archived?.data, { previous_status: 'PROCESSING_AI', version: 4 })
  })

  test('that fails say why, and when it is tried again', async () => {
    const { gateway: failing } = await sharedGateway({
      AI_SERVICE_FAILURE_RATE: '1',
      MAX_RETRY_ATTEMPTS: '2',
      REDRIVE_INITIAL_WAIT: '3600',
      REDRIVE_MAX_WAIT: '3600',
    })
    await using client = await connectFeed(failing.url)
    await sendPacket(failing.url, 'fails', 1)
    await completeCall(failing.url, 'fails')
    const failed = await client.sees('fails', 'FAILED')
    const { error, next_attempt_at: next, ...rest } = failed.data as Record<string, unknown>
    assert.equal(error, 'mock: 503 Service Unavailable')
    assert.ok(Date.parse(String(next)) > Date.parse(String(failed.timestamp)) + 1_000_000)
    assert.deepEqual(rest, { previous_status: 'PROCESSING_AI', version: 4 })
    const attempts = client.events().filter(({ type }) => type === 'analysis_attempt')
    assert.deepEqual(
      attempts.map(({ data }) => {
        const { attempt, outcome, error: reason } = data as Record<string, unknown>
        return [attempt, outcome, reason]
      }),
      [1, 2].map((attempt) => [attempt, 'retryable', 'mock: 503 Service Unavailable']),
    )
    assertNoHoles(client.events(), Number(client.messages[0]?.position))
  })
})

suite('a position that is none is refused at the upgrade', () => {
  const upgrade = {
    connection: 'Upgrade',
    upgrade: 'websocket',
    'sec-websocket-version': '13',
    'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
  }
  const wrong = ['-1', '1.5', 'abc', '', '9007199254740992', 'Infinity', '1e309', 'NaN', 'null']
  for (const after of [...wrong, '1&after=2', '%00', "1'--"])
    test(`?after=${after}`, async () => {
      const reply = await rawRequest(url, [head('GET', `/ws?after=${after}`, upgrade)], {
        end: true,
      })
      assertRefusal(reply, 422)
      const socket = new WebSocket(`${url.replace('http', 'ws')}/ws/desk?after=${after}`)
      const [error] = (await once(socket, 'error')) as [Error]
      assert.match(error.message, /422/)
    })

  test('and so is a name of more than 128 characters', async () => {
    const socket = new WebSocket(`${url.replace('http', 'ws')}/ws/${'a'.repeat(129)}`)
    const [error] = (await once(socket, 'error')) as [Error]
    assert.match(error.message, /422/)
  })

  test('without an upgrade the way is named', async () => {
    const response = await fetch(`${url}/ws`)
    assert.equal(response.status, 426)
    assert.equal(response.headers.get('upgrade'), 'websocket')
    assert.deepEqual(await response.json(), {
      detail: 'The feed is a WebSocket',
      code: 'upgrade_required',
    })
  })
})
