// `POST /v1/demo/calls`: real calls through the gateway's own doors, one run at a time.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createDatabase } from './support/database.ts'
import { openStream } from './support/event-stream.ts'
import { post, startGateway } from './support/gateway.ts'
import { until } from './support/until.ts'

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

test('calls that are played packet by packet over HTTP say how they are coded, and can be heard', async () => {
  await using database = await createDatabase()
  await using gateway = await startGateway(database.url)
  const { url } = gateway
  const { body } = await post(`${url}/v1/demo/calls`, { count: 1, protocol: 'http' })
  const [callId] = body.calls as string[]
  const recording = await until('there is a recording', async () => {
    const { ok, headers } = await fetch(`${url}/v1/call/${callId}/recording.wav`)
    return ok ? headers.get('content-type') : undefined
  })
  assert.equal(recording, 'audio/wav')
})

test('one run is under way at a time, whichever gateway is asked; one that dies is in nobody’s way', async () => {
  await using database = await createDatabase()
  await using one = await startGateway(database.url, { WORKERS: '2' })
  await using other = await startGateway(database.url)
  const ask = async (url: string) => (await post(`${url}/v1/demo/calls`, { count: 1 })).status
  const both = [one.url, one.url, one.url, one.url, other.url, other.url]
  const answers = await Promise.all(both.map(ask))
  assert.deepEqual(answers.toSorted(), [202, 409, 409, 409, 409, 409])
  assert.deepEqual([await ask(one.url), await ask(other.url)], [409, 409])
  const [busy, idle] = answers.indexOf(202) < 4 ? [one, other] : [other, one]
  busy.kill('SIGKILL')
  await until('calls can be played again', async () => (await ask(idle.url)) === 202)
})
