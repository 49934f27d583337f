// What services were sent and said that it cost, beside what the gateway says of it, for each call and provider.
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import type { AiServer, Fault } from '../support/ai/ai-server.ts'
import { send } from '../support/ai/ai-server.ts'
import { asksDeepgram, asksOpenAi, playCalls, untilAnalysed } from '../support/ai/audio-calls.ts'
import { startDeepgramServer } from '../support/ai/deepgram-server.ts'
import { says } from '../support/ai/faults.ts'
import { refuse, startOpenAiServer } from '../support/ai/openai-server.ts'
import { createDatabase } from '../support/database.ts'
import { startGateway } from '../support/gateway.ts'
import { createSender } from '../support/sender.ts'

type Cost = { audio_seconds: number; input_tokens: number; output_tokens: number }
type Step = Cost & { step: string; provider: string; model: string | null; latency_ms: number }
type Usage = Cost & { attempts: number; steps: Step[] }
type Hour = Cost & { succeeded: number; failed: number }

const latencyMs = 30
const slowly: Fault = async (response, work) => {
  await pause(latencyMs)
  send(response, await work())
}

/** Has a call of one second analysed; the first request fails. What the gateway says of it. */
async function analyse(server: AiServer, settings: Readonly<Record<string, string>>) {
  await using database = await createDatabase()
  await using gateway = await startGateway(database.url, settings)
  using pbx = createSender(() => [gateway.url])
  let isFirst = true
  server.misbehave = () => {
    if (!isFirst) return slowly
    isFirst = false
    return says(refuse('openai', 500, 'no', null))
  }
  const began = performance.now()
  await playCalls(database.pool, pbx, ['call'])
  await untilAnalysed(database.pool, ['call'])
  const took = performance.now() - began
  const read = async (path: string) => (await fetch(`${gateway.url}/v1/${path}`)).json()
  const usage = (await read('call/call/usage')) as Usage
  const { providers } = (await read('providers')) as { providers: { last_hour: Hour }[] }
  const asked = usage.steps.filter(({ provider }) => provider !== 'built-in')
  const took_ms = asked.reduce((sum, step) => sum + step.latency_ms, 0)
  assert.ok(took_ms >= latencyMs * asked.length && took_ms <= took, `${took_ms} of ${took} ms`)
  assert.equal(server.requests.length, asked.length + 1)
  const hour = providers[0]?.last_hour
  assert.ok(hour)
  return { usage, asked, hour }
}

const costOf = ({ audio_seconds, input_tokens, output_tokens }: Cost) => [
  audio_seconds,
  input_tokens,
  output_tokens,
]

suite('audio, tokens, attempts and time of a call are what its service was sent and said', () => {
  test('OpenAI, which says so', async (t) => {
    const server = await startOpenAiServer({ usage: () => ({ type: 'duration', seconds: 1.25 }) })
    t.after(() => server.close())
    const chat = { OPENAI_CHAT_MODEL: 'gpt-4o-mini' }
    const { usage, asked, hour } = await analyse(server, { ...asksOpenAi(server.url), ...chat })
    assert.deepEqual(
      asked.map((step) => [step.step, step.provider, step.model, ...costOf(step)]),
      [
        ['transcript', 'openai', null, 1.25, 0, 0],
        ['mood', 'openai', 'gpt-4o-mini-2026-01-01', 0, 120, 30],
        ['summary', 'openai', 'gpt-4o-mini-2026-01-01', 0, 120, 30],
      ],
    )
    assert.deepEqual([usage.attempts, ...costOf(usage)], [2, 1.25, 240, 60])
    assert.deepEqual([hour.succeeded, hour.failed, ...costOf(hour)], [3, 1, 1.25, 240, 60])
  })

  test('OpenAI, of a model that is paid by the token', async (t) => {
    const server = await startOpenAiServer({
      usage: () => ({ type: 'tokens', input_tokens: 23, output_tokens: 5 }),
    })
    t.after(() => server.close())
    const { usage, hour } = await analyse(server, {
      ...asksOpenAi(server.url),
      OPENAI_TRANSCRIPTION_MODEL: 'gpt-4o-transcribe',
    })
    assert.deepEqual([usage.attempts, ...costOf(usage)], [2, 1, 23, 5])
    assert.deepEqual([hour.succeeded, hour.failed, ...costOf(hour)], [1, 1, 1, 23, 5])
  })

  test('a server that says nothing of it', async (t) => {
    const server = await startOpenAiServer({ dialect: 'speaches' })
    t.after(() => server.close())
    const { usage, hour } = await analyse(server, asksOpenAi(server.url))
    assert.deepEqual([usage.attempts, ...costOf(usage)], [2, 1, 0, 0])
    assert.deepEqual([hour.succeeded, hour.failed, ...costOf(hour)], [1, 1, 1, 0, 0])
  })

  test('Deepgram', async (t) => {
    const server = await startDeepgramServer('dg-key')
    t.after(() => server.close())
    const { usage, asked, hour } = await analyse(server, asksDeepgram(server.url, 'dg-key'))
    assert.equal(asked[0]?.model, 'general-nova-3')
    assert.deepEqual([usage.attempts, ...costOf(usage)], [2, 2, 0, 0])
    assert.deepEqual([hour.succeeded, hour.failed, ...costOf(hour)], [1, 1, 2, 0, 0])
  })
})
