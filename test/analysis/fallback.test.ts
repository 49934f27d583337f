// Two services, of which the first cannot do it: the one that answered is named wherever a call tells of it.
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import type { Fault } from '../support/ai/ai-server.ts'
import { asksDeepgram, asksOpenAi, playCalls } from '../support/ai/audio-calls.ts'
import { startDeepgramServer } from '../support/ai/deepgram-server.ts'
import { says } from '../support/ai/faults.ts'
import { refuse, startOpenAiServer } from '../support/ai/openai-server.ts'
import { createDatabase } from '../support/database.ts'
import { getCall, startGateway } from '../support/gateway.ts'
import { createSender } from '../support/sender.ts'
import { until } from '../support/until.ts'

type Entry = { readonly kind: string; readonly text: string; readonly data: { provider?: string } }
type Usage = { readonly steps: readonly { readonly step: string; readonly provider: string }[] }

/** Plays two calls to a gateway that asks OpenAI, then Deepgram; what it tells of the last when it has this status. */
async function tell(faults: { openai?: Fault; deepgram?: Fault }, status: string) {
  await using stack = new AsyncDisposableStack()
  const openai = stack.adopt(await startOpenAiServer(), (server) => server.close())
  const deepgram = stack.adopt(await startDeepgramServer('dg-key'), (server) => server.close())
  openai.misbehave = () => faults.openai
  deepgram.misbehave = () => faults.deepgram
  const { pool, url } = stack.use(await createDatabase())
  const gateway = stack.use(
    await startGateway(url, {
      ...asksOpenAi(openai.url),
      ...asksDeepgram(deepgram.url, 'dg-key'),
      AI_PROVIDERS: 'openai,deepgram',
    }),
  )
  const pbx = stack.use(createSender(() => [gateway.url]))
  const read = async (path: string) => (await fetch(`${gateway.url}/v1/call/${path}`)).json()
  for (const callId of ['one', 'two']) {
    await playCalls(pool, pbx, [callId])
    await until(`${callId} is ${status}`, async () => {
      return (await getCall(gateway.url, callId)).body.status === status
    })
  }
  const { rows } = await pool.query<{ provider: string; refused_by: string[] }>(
    `SELECT provider, refused_by FROM attempts JOIN calls ON calls.id = call
     ORDER BY call_id, number`,
  )
  const { entries } = (await read('two/timeline')) as { entries: Entry[] }
  const { steps } = (await read('two/usage')) as Usage
  const began = entries.find(({ kind }) => kind === 'attempt_started')
  return {
    attempts: rows.map(({ provider, refused_by }) => [provider, ...refused_by]),
    began: [began?.text.replace(/, by .*/, ''), began?.data.provider],
    steps: steps.map(({ step, provider }) => [step, provider]).slice(0, 3),
    asked: [openai.requests.length, deepgram.requests.length],
    call: (await getCall(gateway.url, 'two')).body,
  }
}

const byDeepgram = {
  began: ['Attempt 1 to analyse the call began (deepgram', 'deepgram'],
  steps: [
    ['transcript', 'deepgram'],
    ['mood', 'built-in'],
    ['summary', 'built-in'],
  ],
}

suite('whoever really answered is named by the attempt, the timeline and the usage of a call', () => {
  test('the first cannot deal with the calls', async () => {
    const unreadable = says(refuse('openai', 400, 'Unreadable', null))
    const { attempts, began, steps, asked, call } = await tell({ openai: unreadable }, 'ARCHIVED')
    assert.deepEqual({ began, steps }, byDeepgram)
    assert.deepEqual(attempts, [['deepgram'], ['deepgram']])
    assert.deepEqual(asked, [2, 2])
    assert.deepEqual([call.ai_processing_attempts, call.error_message], [1, null])
    assert.match(String(call.transcription), /Hello, how can I help/)
  })

  test('the first asked to be left alone, and is', async () => {
    const pause = says(refuse('openai', 429, 'no', null, { 'retry-after': '3600' }))
    const { attempts, began, steps, asked } = await tell({ openai: pause }, 'ARCHIVED')
    assert.deepEqual({ began, steps }, byDeepgram)
    assert.deepEqual(attempts, [['deepgram', 'openai'], ['deepgram']])
    assert.deepEqual(asked, [1, 2])
  })

  test('nobody can deal with the calls: the last that said so', async () => {
    const { attempts, began, call } = await tell(
      {
        openai: says(refuse('openai', 400, 'Unreadable', null)),
        deepgram: says(refuse('openai', 400, 'Corrupt', null)),
      },
      'FAILED',
    )
    assert.deepEqual(attempts, [['deepgram'], ['deepgram']])
    assert.deepEqual(began, byDeepgram.began)
    assert.match(String(call.error_message), /^deepgram: 400/)
  })
})
