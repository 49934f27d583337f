// `POST /v1/demo/calls`: real calls through the gateway's own doors, one run at a time.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createDatabase } from './support/database.ts'
import { openStream } from './support/event-stream.ts'
import { post, startGateway } from './support/gateway.ts'

test('calls are played by a protocol, signed if the gateway demands it, and end with the gateway', async () => {
  await using database = await createDatabase()
  await using gateway = await startGateway(database.url, { TWILIO_AUTH_TOKEN: 'secret' })
  const { url } = gateway
  await using stream = await openStream(url)
  const { status, body } = await post(`${url}/v1/demo/calls`, { count: 2, protocol: 'twilio' })
  assert.equal(status, 202)
  const calls = body.calls as string[]
  assert.equal(calls.length, 2)
  for (const callId of calls) await stream.sees(callId, 'stream_started')
  const [call] = calls
  const started = await stream.sees(call ?? '', 'stream_started')
  assert.equal((started.data.call as { source: string }).source, 'twilio')

  const again = await post(`${url}/v1/demo/calls`)
  assert.deepEqual([again.status, again.body.code], [409, 'demo_running'])
  for (const body of [{ count: 9 }, { count: 0 }, { protocol: 'morse' }, []])
    assert.equal((await post(`${url}/v1/demo/calls`, body)).status, 422)
  gateway.kill('SIGTERM')
  assert.equal(await gateway.exited, 0)
})
