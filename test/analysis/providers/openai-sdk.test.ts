// The official SDK against the test server: what our clients are tested with is what OpenAI's own client accepts.
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import OpenAI, { APIError, AuthenticationError, RateLimitError, toFile } from 'openai'
import { says } from '../../support/ai/faults.ts'
import { refuse, startOpenAiServer } from '../../support/ai/openai-server.ts'
import { wavOf } from '../../support/ai/wav.ts'

const server = await startOpenAiServer({ apiKey: 'sk-1' })
after(() => server.close())
const client = new OpenAI({ apiKey: 'sk-1', baseURL: server.url, maxRetries: 0 })

test('the SDK transcribes with the test server', async () => {
  server.misbehave = () => undefined
  const file = await toFile(wavOf(2), 'audio.wav', { type: 'audio/wav' })
  const answer = await client.audio.transcriptions.create({
    file,
    model: 'whisper-1',
    response_format: 'verbose_json',
  })
  assert.equal(answer.text.trim(), 'Hello, how can I help?')
  assert.equal(answer.segments?.[0]?.avg_logprob, -0.2)
})

test('the SDK chats with the test server', async () => {
  server.misbehave = () => undefined
  const answer = await client.chat.completions.create({
    model: 'gpt-4o-mini',
    messages: [{ role: 'user', content: 'Hello' }],
    response_format: { type: 'json_object' },
  })
  assert.match(answer.choices[0]?.message.content ?? '', /"label"/)
  assert.equal(answer.usage?.total_tokens, 150)
})

test('the SDK reads the errors of the test server', async () => {
  const list = (apiKey: string) =>
    new OpenAI({ apiKey, baseURL: server.url, maxRetries: 0 }).chat.completions.create({
      model: 'gpt-9',
      messages: [],
    })
  server.misbehave = () => undefined
  await assert.rejects(list('sk-2'), AuthenticationError)
  await assert.rejects(list('sk-1'), (error) => {
    assert.ok(error instanceof APIError)
    return error.status === 404 && error.code === 'model_not_found'
  })
  server.misbehave = () => says(refuse('openai', 429, 'Slow down', null, { 'retry-after': '7' }))
  await assert.rejects(list('sk-1'), (error) => {
    assert.ok(error instanceof RateLimitError)
    return error.headers?.get('retry-after') === '7'
  })
})
