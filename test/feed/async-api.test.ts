// The description of the feed and the packet streams, against the specification and against what is really said.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { test } from 'node:test'
import Ajv from 'ajv'
import { openStream } from '../support/event-stream.ts'
import { connectFeed } from '../support/feed-client.ts'
import { completeCall, sendPacket } from '../support/gateway.ts'
import { sharedGateway } from '../support/shared-gateway.ts'
import { until } from '../support/until.ts'

type Json = Readonly<Record<string, unknown>>
type Document = {
  readonly channels: Readonly<Record<string, { readonly address: string }>>
  readonly components: { readonly messages: Readonly<Record<string, { readonly payload: Json }>> }
}

const { gateway } = await sharedGateway()
const { url } = gateway
const document = (await (await fetch(`${url}/asyncapi.json`)).json()) as Document

/** Fails unless a message is as the document says of it. */
function assertDescribed(name: string, message: unknown): void {
  const schema = document.components.messages[name]?.payload
  assert.ok(schema, `${name} is described`)
  const ajv = new Ajv.default({ strict: false, validateFormats: false })
  assert.ok(
    ajv.validate(schema, message),
    `${name}: ${ajv.errorsText()} ${JSON.stringify(message)}`,
  )
}

test('it is AsyncAPI 3, valid by the schema of the specification', () => {
  const file = createRequire(import.meta.url).resolve(
    '@asyncapi/specs/schemas/3.0.0-without-$id.json',
  )
  const ajv = new Ajv.default({ strict: false, validateFormats: false })
  const isValid = ajv.validate(JSON.parse(readFileSync(file, 'utf8')) as object, document)
  assert.ok(isValid, JSON.stringify(ajv.errors?.slice(0, 5)))
  assert.deepEqual(
    Object.values(document.channels).map(({ address }) => address),
    ['/ws', '/ws/{client_id}', '/v1/events', '/v1/call/stream/{call_id}'],
  )
})

test('every reference leads somewhere', () => {
  const text = JSON.stringify(document)
  for (const [, path = ''] of text.matchAll(/"\$ref":"#\/([^"]+)"/g)) {
    let place: unknown = document
    for (const key of path.split('/')) place = (place as Json | undefined)?.[key]
    assert.ok(place, path)
  }
})

test('what the feed says is as described, over WebSocket and as an event stream', async () => {
  const names: Readonly<Record<string, string>> = {
    connected: 'connected',
    call_update: 'callUpdate',
    ai_result: 'aiResult',
    call_event: 'callEvent',
    pong: 'pong',
    snapshot: 'snapshot',
    tick: 'tick',
  }
  await using client = await connectFeed(url)
  await using stream = await openStream(url)
  client.socket.send('hello')
  await sendPacket(url, 'described', 1)
  await completeCall(url, 'described')
  await stream.sees('described', 'ARCHIVED')
  await fetch(`${url}/v1/call/described`, { method: 'DELETE' })
  await stream.sees('described', 'call_erased')
  await client.received(6)
  await until('a tick', () => stream.named('tick')[0])
  for (const message of client.messages) assertDescribed(names[message.type] ?? '', message)
  for (const { name, data } of stream.all) assertDescribed(names[name] ?? '', data)
})
