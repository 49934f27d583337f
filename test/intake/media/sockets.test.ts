// Who connects as a PBX and misbehaves gets a clear refusal, and disturbs nobody.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { suite, test } from 'node:test'
import twilioLibrary from 'twilio'
import WebSocket from 'ws'
import { getCall } from '../../support/gateway.ts'
import { twilioMessages as messages } from '../../support/json-media.ts'
import { mediaEvents } from '../../support/media-calls.ts'
import { connectMedia } from '../../support/media-socket.ts'
import { head, rawRequest } from '../../support/raw-http.ts'
import { assertRefusal } from '../../support/refusal.ts'
import { sharedGateway } from '../../support/shared-gateway.ts'
import { until } from '../../support/until.ts'

const { gateway, database } = await sharedGateway({ RECONNECT_GRACE_SECONDS: '0.2' })
const { url } = gateway
const longest = 64 * 2 ** 10
const packet = (chunk: number) =>
  messages.media({ track: 'inbound', chunk, payload: Buffer.alloc(160, chunk) })

const packetsOf = (callId: string, count: number) =>
  until(`${count} packets of ${callId}`, async () => {
    const { body } = await getCall(url, callId)
    return body.total_packets === count
  })

function upgradeTo(path: string, headers: Record<string, string> = {}): string {
  return head('GET', path, {
    connection: 'Upgrade',
    upgrade: 'websocket',
    'sec-websocket-version': '13',
    'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
    ...headers,
  })
}

suite('a message that the protocol does not allow closes its connection, says why, and no other', () => {
  for (const [what, message, code, reason] of [
    ['no JSON', 'hello', 1008, 'A message should be JSON, but is not at 0'],
    ['bytes', Buffer.of(1, 2), 1008, '/media/twilio takes no binary messages'],
    ['media before the start', packet(1), 1008, 'event: media came before start'],
    ['a call that cannot be', messages.start('/'), 1008, /^start\.callSid should match .*/],
    [
      'too long a text',
      ' '.repeat(longest + 1),
      1009,
      'A message should have at most 65536 bytes, but has 65537',
    ],
    [
      'too many bytes',
      Buffer.alloc(longest + 1),
      1009,
      'A message should have at most 65536 bytes, but has 65537',
    ],
  ] as const)
    test(what, async () => {
      const callId = `beside-${what.replaceAll(' ', '-')}`
      using other = await connectMedia(url, '/media/twilio')
      other.send(messages.start(callId))
      using client = await connectMedia(url, '/media/twilio')
      client.send(message)
      const closed = await client.closed
      assert.equal(closed.code, code)
      if (typeof reason === 'string') assert.equal(closed.reason, reason)
      else assert.match(closed.reason, reason)
      assert.ok(Buffer.byteLength(closed.reason) <= 123)
      other.send(packet(1))
      await packetsOf(callId, 1)
    })

  test('and what came before it is kept, what comes after it is not', async () => {
    using client = await connectMedia(url, '/media/twilio')
    client.send(messages.start('broken'))
    client.send(packet(1))
    client.send({ event: 'media', media: { track: 'inbound', chunk: 'x' } })
    client.send(packet(2))
    assert.equal((await client.closed).code, 1008)
    await until('the end of the call', async () => {
      const { body } = await getCall(url, 'broken')
      return body.status === 'ARCHIVED' && body.total_packets === 1
    })
    const end = (await mediaEvents(database.pool, 'broken')).at(-1)
    assert.equal(end?.by, 'disconnected')
    assert.equal(end?.reason, 'media.timestamp: Field required')
  })

  test('a message of 64 KiB is none of them', async () => {
    using client = await connectMedia(url, '/media/twilio')
    const text = JSON.stringify(messages.start('longest'))
    client.send(text + ' '.repeat(longest - text.length))
    client.send(packet(1))
    await packetsOf('longest', 1)
  })
})

suite('an upgrade', () => {
  const publicUrl = 'https://gateway.example.com/pbx'
  const token = '12345'
  const signature = twilioLibrary.getExpectedTwilioSignature(
    token,
    'wss://gateway.example.com/pbx/media/twilio',
    {},
  )
  const signing = sharedGateway({ TWILIO_AUTH_TOKEN: token, PUBLIC_URL: publicUrl })

  test('that Twilio signed is accepted', async () => {
    const { gateway: strict } = await signing
    using client = await connectMedia(strict.url, '/media/twilio', {
      headers: { 'x-twilio-signature': signature },
    })
    client.send(messages.start('signed'))
    await until('the call', async () => (await getCall(strict.url, 'signed')).status === 200)
  })

  for (const [what, headers] of [
    ['nobody signed', {}],
    ['somebody else signed', { 'x-twilio-signature': signature.replace(/^./, '_') }],
  ] as const)
    test(`that ${what} is refused before there is a WebSocket, with the settings to look at`, async () => {
      const { gateway: strict } = await signing
      const reply = await rawRequest(strict.url, [upgradeTo('/media/twilio', headers)], {
        end: true,
      })
      assertRefusal(reply, 403)
      const { code, detail } = JSON.parse(String(reply.body)) as Record<string, string>
      assert.equal(code, 'signature_refused')
      assert.match(detail ?? '', /X-Twilio-Signature.*TWILIO_AUTH_TOKEN/)
      assert.ok(!String(reply.body).includes(signature))
    })

  test('that is none is told how to connect', async () => {
    const response = await fetch(`${url}/media/twilio`)
    assert.equal(response.status, 426)
    assert.equal(response.headers.get('upgrade'), 'websocket')
    const body = (await response.json()) as Record<string, unknown>
    assert.equal(body.code, 'upgrade_required')
  })

  test('to a protocol that does not exist is 404', async () => {
    assertRefusal(await rawRequest(url, [upgradeTo('/media/fax')], { end: true }), 404)
  })
})

suite('a connection that says nothing of a call', { concurrency: true }, () => {
  test('is closed after 10 s, and told so', async () => {
    using client = await connectMedia(url, '/media/twilio')
    client.send({ event: 'connected', protocol: 'Call', version: '1.0.0' })
    assert.deepEqual(await client.closed, { code: 1008, reason: 'No call began within 10 s' })
  })

  test('makes room: of 3,000 the oldest are closed, while a call goes on and new ones begin', async () => {
    const { gateway: crowded } = await sharedGateway()
    using call = await connectMedia(crowded.url, '/media/twilio')
    call.send(messages.start('undisturbed'))
    let chunk = 0
    const speaking = setInterval(() => {
      chunk += 1
      call.send(packet(chunk))
    }, 20)

    const reasons = new Map<string, number>()
    const sockets: WebSocket[] = []
    try {
      for (let batch = 0; batch < 30; batch += 1) {
        const opening = Array.from({ length: 100 }, async () => {
          const socket = new WebSocket(`${crowded.url.replace('http', 'ws')}/media/twilio`)
          sockets.push(socket)
          socket.on('close', (_code, reason) =>
            reasons.set(String(reason), (reasons.get(String(reason)) ?? 0) + 1),
          )
          await once(socket, 'open')
        })
        await Promise.all(opening)
      }
      await until(
        'the oldest are closed',
        () => (reasons.get('Too many connections say nothing') ?? 0) >= 1_000,
      )
      using newcomer = await connectMedia(crowded.url, '/media/twilio')
      newcomer.send(messages.start('newcomer'))
      await until(
        'the new call',
        async () => (await getCall(crowded.url, 'newcomer')).status === 200,
      )
      await until(
        'all of them are closed',
        () => [...reasons.values()].reduce((sum, count) => sum + count, 0) === sockets.length,
      )
    } finally {
      clearInterval(speaking)
      for (const socket of sockets) socket.terminate()
    }
    assert.deepEqual([...reasons.keys()].sort(), [
      'No call began within 10 s',
      'Too many connections say nothing',
    ])
    call.send(messages.stop('undisturbed'))
    await until('the end of the call', async () => {
      const { body } = await getCall(crowded.url, 'undisturbed')
      return (
        body.status === 'ARCHIVED' && body.total_packets === chunk && body.missing_packets === ''
      )
    })
    const lines = () => crowded.log.filter(({ protocol }) => protocol === 'twilio')
    await until('all are told of in the log', () => {
      const told = lines().reduce((sum, { connections }) => sum + Number(connections ?? 1), 0)
      return told === sockets.length
    })
    assert.ok(lines().length < 200, `${lines().length} lines`)
  })
})

test('a gateway that stops ends its streams, keeps what came, and says that it restarts', async () => {
  const { gateway: leaving, database: own } = await sharedGateway()
  using client = await connectMedia(leaving.url, '/media/twilio')
  client.send(messages.start('left'))
  for (let chunk = 1; chunk <= 50; chunk += 1) client.send(packet(chunk))
  await until(
    'the packets',
    async () => (await getCall(leaving.url, 'left')).body.total_packets === 50,
  )
  leaving.kill('SIGTERM')
  assert.deepEqual(await client.closed, { code: 1012, reason: 'the gateway restarts' })
  assert.equal(await leaving.exited, 0)
  assert.deepEqual(
    (await mediaEvents(own.pool, 'left')).map(({ event, by }) => by ?? event),
    ['stream_started', 'disconnected'],
  )
})

test('none of it is a defect in the log', () => {
  const defects = gateway.log.filter(({ level }) => level === 'error' || level === 'fatal')
  assert.deepEqual(defects, [])
})
