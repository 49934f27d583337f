import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { createDeepgramTranscriber } from '../../../src/analysis/providers/deepgram.ts'
import { json } from '../../support/ai/ai-server.ts'
import { deepgramErrors, requestId, startDeepgramServer } from '../../support/ai/deepgram-server.ts'
import { says } from '../../support/ai/faults.ts'
import { wavOf } from '../../support/ai/wav.ts'

const never = new AbortController().signal
const request = { idempotencyKey: 'call-1:inbound', audio: wavOf(2), seconds: 2 }
const server = await startDeepgramServer('key-1')
after(() => server.close())
const service = createDeepgramTranscriber({ baseUrl: server.url, apiKey: 'key-1', language: 'en' })

test('the WAV goes up as it is, and utterances come back', async () => {
  server.misbehave = () => undefined
  assert.deepEqual(await service.transcribe(request, never), {
    value: [{ start: 0.2, end: 1.4, text: 'Hello, how can I help?', confidence: 0.98 }],
    use: { audioSeconds: 2 },
    model: 'general-nova-3',
  })
  const received = server.requests.at(-1)
  assert.ok(received)
  assert.deepEqual(new Uint8Array(received.body), request.audio)
  assert.equal(received.headers.authorization, 'Token key-1')
  assert.deepEqual(Object.fromEntries(received.query), {
    model: 'nova-3',
    punctuate: 'true',
    utterances: 'true',
    language: 'en',
  })
})

test('without a language Deepgram is asked to find it out', async () => {
  server.misbehave = () => undefined
  const { url: baseUrl } = server
  await createDeepgramTranscriber({ baseUrl, apiKey: 'key-1' }).transcribe(request, never)
  assert.equal(server.requests.at(-1)?.query.get('detect_language'), 'true')
})

test('without utterances the whole transcript is one', async () => {
  const channels = [{ alternatives: [{ transcript: 'Hello.', confidence: 0.5 }] }]
  server.misbehave = () => says(json(200, { metadata: {}, results: { channels } }))
  assert.deepEqual(await service.transcribe(request, never), {
    value: [{ start: 0, end: 2, text: 'Hello.', confidence: 0.5 }],
    use: { audioSeconds: 2 },
    model: null,
  })
})

test('a call in which nobody speaks has no utterances', async () => {
  const channels = [{ alternatives: [{ transcript: '', confidence: 0 }] }]
  server.misbehave = () => says(json(200, { metadata: {}, results: { channels, utterances: [] } }))
  assert.deepEqual((await service.transcribe(request, never)).value, [])
})

for (const [shape, error] of Object.entries(deepgramErrors))
  test(`an error as ${shape} is told with the id of the request`, async () => {
    const message = 'Bad Request: failed to process audio'
    server.misbehave = () => says(error(400, message))
    await assert.rejects(service.transcribe(request, never), {
      kind: 'permanent',
      message: `deepgram: 400 Bad Request: ${message} (request ${requestId})`,
    })
  })

test('too many requests at once are an outage with the id of the request', async () => {
  server.misbehave = () => says(deepgramErrors.category(429, 'Too many concurrent requests'))
  await assert.rejects(service.transcribe(request, never), {
    kind: 'outage',
    message: `deepgram: 429 Too Many Requests: Too many concurrent requests (request ${requestId})`,
  })
})

test('a receipt instead of a transcript is garbage', async () => {
  server.misbehave = () => says(json(200, { request_id: requestId }))
  await assert.rejects(service.transcribe(request, never), { kind: 'retryable' })
})
