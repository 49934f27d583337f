import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createOpenAiTranscriber } from '../../../src/analysis/providers/openai-transcriber.ts'
import type { AiServer } from '../../support/ai/ai-server.ts'
import { says } from '../../support/ai/faults.ts'
import { hostileSpeech } from '../../support/ai/garbage.ts'
import {
  type Dialect,
  type OpenAiServerOptions,
  refuse,
  startOpenAiServer,
} from '../../support/ai/openai-server.ts'
import { wavOf } from '../../support/ai/wav.ts'

const never = new AbortController().signal
const request = { idempotencyKey: 'call-1:inbound', audio: wavOf(20), seconds: 20 }

async function withServer(
  options: OpenAiServerOptions,
  use: (server: AiServer) => Promise<void>,
): Promise<void> {
  const server = await startOpenAiServer(options)
  try {
    await use(server)
  } finally {
    await server.close()
  }
}

function formOf({ body, headers }: AiServer['requests'][number]): Promise<FormData> {
  const type = headers['content-type'] ?? ''
  return new Response(new Uint8Array(body), { headers: { 'content-type': type } }).formData()
}

test('the audio goes up as a form with a file, its type and name, as the SDKs send it', () =>
  withServer({ apiKey: 'sk-1' }, async (server) => {
    const service = createOpenAiTranscriber({
      baseUrl: `${server.url}/`,
      apiKey: 'sk-1',
      model: 'whisper-1',
      language: 'en',
    })
    const answer = await service.transcribe(request, never)
    assert.deepEqual(answer.value, [
      { start: 0.2, end: 1.4, text: 'Hello, how can I help?', confidence: Math.exp(-0.2) },
    ])
    assert.deepEqual(answer.use, { audioSeconds: 2 })
    const [received] = server.requests
    assert.ok(received)
    assert.equal(received.path, '/v1/audio/transcriptions')
    assert.equal(received.idempotencyKey, 'call-1:inbound')
    assert.equal(received.headers.authorization, 'Bearer sk-1')
    assert.equal(Number(received.headers['content-length']), received.body.length)
    const form = await formOf(received)
    const file = form.get('file')
    assert.ok(file instanceof File)
    assert.deepEqual([file.name, file.type], ['audio.wav', 'audio/wav'])
    assert.deepEqual(new Uint8Array(await file.arrayBuffer()), request.audio)
    form.delete('file')
    assert.deepEqual(Object.fromEntries(form), {
      model: 'whisper-1',
      response_format: 'verbose_json',
      without_timestamps: 'false',
      temperature: '0',
      language: 'en',
    })
  }))

for (const dialect of ['openai', 'speaches', 'whisper.cpp', 'vllm'] satisfies Dialect[])
  test(`the server of ${dialect} is understood, with its errors`, () =>
    withServer({ dialect }, async (server) => {
      const service = createOpenAiTranscriber({ baseUrl: server.url, model: 'whisper-1' })
      const { value } = await service.transcribe(request, never)
      assert.equal(value[0]?.text, 'Hello, how can I help?')
      assert.equal(server.requests[0]?.headers.authorization, undefined)
      server.misbehave = () => says(refuse(dialect, 400, 'Unreadable audio', null))
      await assert.rejects(service.transcribe(request, never), {
        kind: 'permanent',
        message: 'openai: 400 Bad Request: Unreadable audio',
      })
    }))

test('a model that knows only plain JSON is asked for it at once, and gives one utterance', () =>
  withServer({}, async (server) => {
    const service = createOpenAiTranscriber({ baseUrl: server.url, model: 'gpt-4o-transcribe' })
    const answer = await service.transcribe(request, never)
    assert.deepEqual(answer.value, [
      { start: 0, end: 20, text: 'Hello, how can I help?', confidence: null },
    ])
    assert.deepEqual(answer.use, { audioSeconds: 20, inputTokens: 14, outputTokens: 6 })
    assert.equal(server.requests.length, 1)
  }))

test('a server that refuses the detailed format is asked for the plain one, from then on at once', () =>
  withServer({ dialect: 'vllm' }, async (server) => {
    server.misbehave = ({ body }) =>
      body.includes('verbose_json')
        ? says(refuse('vllm', 400, 'Currently only support response_format `text` or `json`', null))
        : undefined
    const service = createOpenAiTranscriber({ baseUrl: server.url, model: 'whisper-1' })
    for (const key of ['a', 'b'])
      await service.transcribe({ ...request, idempotencyKey: key }, never)
    // The same work has the same key, whichever process does it: the format is part of the work.
    assert.deepEqual(
      server.requests.map(({ idempotencyKey }) => idempotencyKey),
      ['a', 'a:verbose_json', 'a:json', 'b:json'],
    )
  }))

test('a server that does not know a field of another server is asked without it', () =>
  withServer({}, async (server) => {
    server.misbehave = ({ body }) =>
      body.includes('without_timestamps')
        ? says(refuse('openai', 400, 'Unrecognized field: without_timestamps', null))
        : undefined
    const service = createOpenAiTranscriber({ baseUrl: server.url, model: 'whisper-1' })
    const { value } = await service.transcribe(request, never)
    assert.equal(value[0]?.start, 0.2)
    assert.equal(server.requests.length, 2)
  }))

test('a refusal that is about something else is not tried in another format', () =>
  withServer({}, async (server) => {
    server.misbehave = () => says(refuse('openai', 400, 'The audio file is too short', null))
    const service = createOpenAiTranscriber({ baseUrl: server.url, model: 'whisper-1' })
    await assert.rejects(service.transcribe(request, never), { kind: 'permanent' })
    assert.equal(server.requests.length, 1)
  }))

test('what Whisper imagines in silence, and its loops, are dropped', () => {
  const segment = (text: string, hints: object) => ({ start: 1, end: 2, text, ...hints })
  const hear = () => [
    segment('Good.', { avg_logprob: -0.3, compression_ratio: 1.1, no_speech_prob: 0.1 }),
    segment('Thanks for watching!', { avg_logprob: -1.2, no_speech_prob: 0.9 }),
    segment('no no no no no no', { avg_logprob: -0.1, compression_ratio: 5.1, no_speech_prob: 0 }),
    segment('Quiet but sure.', { avg_logprob: -0.4, no_speech_prob: 0.9 }),
    segment('Bad line.', { avg_logprob: -1.4, compression_ratio: null, no_speech_prob: 0.2 }),
    segment('No hints.', {}),
  ]
  return withServer({ hear }, async (server) => {
    const service = createOpenAiTranscriber({ baseUrl: server.url, model: 'whisper-1' })
    const { value } = await service.transcribe(request, never)
    assert.deepEqual(
      value.map(({ text }) => text),
      ['Good.', 'Quiet but sure.', 'Bad line.', 'No hints.'],
    )
  })
})

test('times and texts are made true: in order, within the audio, printable, not empty', () => {
  const hear = () => [
    { start: 25, end: 40, text: ' last ' },
    { start: -3, end: -1, text: 'first' },
    { start: 9, end: 7, text: 'turned' },
    { start: 10, end: 11, text: ' \u0000\n ' },
    ...hostileSpeech.map((text) => ({ start: 12, end: 13, text })),
    { start: 15, end: 16, text: 'x'.repeat(50_000) },
  ]
  return withServer({ hear }, async (server) => {
    const service = createOpenAiTranscriber({ baseUrl: server.url, model: 'whisper-1' })
    const { value } = await service.transcribe(request, never)
    assert.deepEqual(
      [value[0], value[1], value.at(-1)],
      [
        { start: 0, end: 0, text: 'first', confidence: null },
        { start: 9, end: 9, text: 'turned', confidence: null },
        { start: 20, end: 20, text: 'last', confidence: null },
      ],
    )
    assert.equal(value.length, 4 + hostileSpeech.length)
    for (const { text } of value) {
      assert.ok(text.length > 0 && text.length <= 10_000 && text.isWellFormed())
      assert.doesNotMatch(text, /\p{Cc}|[\u202A-\u202E\u2066-\u2069]/u)
    }
    assert.ok(value.some(({ text }) => text === '<script>alert(1)</script>'))
  })
})

test('a call in which nobody speaks has no utterances', () =>
  withServer({ hear: () => [] }, async (server) => {
    const service = createOpenAiTranscriber({ baseUrl: server.url, model: 'whisper-1' })
    assert.deepEqual((await service.transcribe(request, never)).value, [])
  }))

test('what is not in the schema of an answer has no effect', () =>
  withServer({}, async (server) => {
    const body =
      '{"text":"Hello","__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}'
    server.misbehave = () => says({ status: 200, body, headers: { 'content-type': 'text/html' } })
    const service = createOpenAiTranscriber({ baseUrl: server.url, model: 'whisper-1' })
    const { value } = await service.transcribe(request, never)
    assert.equal(value[0]?.text, 'Hello')
    assert.ok(!('polluted' in {}))
  }))
