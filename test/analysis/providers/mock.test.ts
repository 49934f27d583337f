import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  type AnalysisResult,
  ProviderError,
  type RecordedPacket,
} from '../../../src/analysis/provider.ts'
import { createMockProvider, type MockOptions } from '../../../src/analysis/providers/mock.ts'
import { loadRecordings, packetCount, packetData } from '../../../src/simulator/recordings.ts'

const speech = await loadRecordings()
const never = new AbortController().signal

function createProvider(change: Partial<MockOptions> = {}) {
  const calm = { failureRate: 0, minLatency: 0, maxLatency: 0, seed: 1, speech }
  return createMockProvider({ ...calm, wait: async () => {}, ...change })
}

async function* packetsOf(payloads: Iterable<Uint8Array | string>): AsyncGenerator<RecordedPacket> {
  let sequence = 0
  for (const payload of payloads) {
    sequence += 1
    const bytes = typeof payload === 'string' ? Buffer.from(payload) : payload
    yield { track: 'inbound', sequence, timestamp: sequence, payload: bytes }
  }
}

function analyse(payloads: Iterable<Uint8Array | string>): Promise<AnalysisResult> {
  const request = { callId: 'call', attempt: 1, packets: packetsOf(payloads) }
  return createProvider().analyse(request, never)
}

function play(name: string): string[] {
  const recording = speech.find((one) => one.name === name)
  assert.ok(recording !== undefined)
  return Array.from({ length: packetCount(recording) }, (_, packet) =>
    packetData(recording, packet),
  )
}

/** Which of `attempts` fail, and how long each takes, asked all at once or one after the other. */
async function draw(seed: number, attempts: readonly string[], atOnce: boolean) {
  const waits = new Map<string, number>()
  const outcome = async (name: string) => {
    const [callId = '', attempt = ''] = name.split(' ')
    const wait = async (seconds: number) => void waits.set(name, seconds)
    const flaky = { failureRate: 0.25, minLatency: 1, maxLatency: 3, speech: [] }
    const provider = createProvider({ ...flaky, seed, wait })
    const request = { callId, attempt: Number(attempt), packets: packetsOf(['text']) }
    return await provider.analyse(request, never).then(
      () => `${name} succeeds`,
      (error: unknown) => {
        assert.ok(error instanceof ProviderError)
        assert.equal(error.kind, 'retryable')
        assert.equal(error.message, 'mock: 503 Service Unavailable')
        return `${name} fails`
      },
    )
  }
  const outcomes: string[] = []
  if (atOnce) outcomes.push(...(await Promise.all(attempts.map(outcome))))
  else for (const attempt of attempts) outcomes.push(await outcome(attempt))
  return { outcomes, waits }
}

const attempts = Array.from({ length: 4000 }, (_, index) => `call-${index >> 2} ${(index & 3) + 1}`)

test('a quarter of the attempts fail, and latency is spread evenly over its range', async () => {
  const { outcomes, waits } = await draw(1, attempts, true)
  const failed = outcomes.filter((outcome) => outcome.endsWith('fails')).length
  assert.ok(Math.abs(failed / attempts.length - 0.25) < 0.03, `${failed} failed`)
  const seconds = [...waits.values()]
  assert.equal(seconds.length, attempts.length)
  assert.ok(seconds.every((one) => one >= 1 && one <= 3))
  const mean = seconds.reduce((sum, one) => sum + one, 0) / seconds.length
  assert.ok(Math.abs(mean - 2) < 0.05, `mean ${mean}`)
})

test('the same seed fails the same attempts at any concurrency and in any order', async () => {
  const some = attempts.slice(0, 400)
  const atOnce = await draw(1, some, true)
  const backwards = await draw(1, some.toReversed(), false)
  assert.deepEqual(backwards.outcomes.toReversed(), atOnce.outcomes)
  assert.deepEqual(new Map([...backwards.waits].toReversed()), atOnce.waits)
  assert.notDeepEqual((await draw(2, some, true)).outcomes, atOnce.outcomes)
})

test('a failed attempt says nothing of whether the next one fails', async () => {
  const { outcomes } = await draw(3, attempts, true)
  const failures = Map.groupBy(outcomes, (outcome) => outcome.split(' ')[0])
  const allFour = [...failures.values()].filter((ofCall) =>
    ofCall.every((outcome) => outcome.endsWith('fails')),
  ).length
  assert.ok(allFour < 20, `${allFour} of 1000 calls failed four times; 4 are to be expected`)
})

test('all packets are read before the wait, once', async () => {
  const steps: string[] = []
  async function* packets() {
    for await (const packet of packetsOf(['one', 'two'])) {
      steps.push(`read ${packet.sequence}`)
      yield packet
    }
  }
  const wait = async () => void steps.push('wait')
  const request = { callId: 'call', attempt: 1, packets: packets() }
  await createProvider({ wait }).analyse(request, never)
  assert.deepEqual(steps, ['read 1', 'read 2', 'wait'])
})

test('an abort ends the wait with its reason and leaves no timer', async () => {
  const controller = new AbortController()
  const reason = new Error('lease lost')
  const provider = createMockProvider({
    failureRate: 0,
    minLatency: 3600,
    maxLatency: 3600,
    seed: 1,
    speech,
  })
  async function* packets() {
    yield* packetsOf(['one'])
    setImmediate(() => controller.abort(reason))
  }
  const request = { callId: 'call', attempt: 1, packets: packets() }
  await assert.rejects(provider.analyse(request, controller.signal), reason)
  assert.ok(!process.getActiveResourcesInfo().includes('Timeout'))
})

test('an abort ends the reading', async () => {
  const controller = new AbortController()
  const reason = new Error('shutting down')
  let read = 0
  async function* packets() {
    for await (const packet of packetsOf(['one', 'two', 'three'])) {
      read += 1
      controller.abort(reason)
      yield packet
    }
  }
  const request = { callId: 'call', attempt: 1, packets: packets() }
  await assert.rejects(createProvider().analyse(request, controller.signal), reason)
  assert.equal(read, 1)
})

const moods = [
  ['billing-dispute', 'negative'],
  ['late-delivery', 'negative'],
  ['happy-upgrade', 'positive'],
  ['password-reset', 'neutral'],
  ['cancellation', 'mixed'],
  ['appointment', 'positive'],
] as const

for (const [name, mood] of moods)
  test(`${name}: its transcript, ${mood}, a summary of reason and outcome`, async () => {
    const { transcription, sentiment, summary } = await analyse(play(name))
    const turns = speech.find((one) => one.name === name)?.turns ?? []
    const lines = turns.map(
      ({ speaker, text }) => `${speaker === 'agent' ? 'Agent' : 'Customer'}: ${text}`,
    )
    assert.equal(transcription, lines.join('\n'))
    assert.equal(sentiment, mood)
    assert.match(summary, /^The customer said: “.+[.!?]” The agent’s last words: “.+[.!?]”$/)
  })

test('texts are joined in order', async () => {
  const { transcription, sentiment, summary } = await analyse([
    'audio_chunk_1',
    'audio chunk',
    'ü 3',
  ])
  assert.equal(transcription, 'audio_chunk_1 audio chunk ü 3')
  assert.equal(sentiment, 'neutral')
  assert.equal(summary, 'The call is 3 packets of plain text, not audio.')
})

test('the mood of texts is heard, too, and a negation turns it', async () => {
  assert.equal((await analyse(['I', 'am', 'very', 'happy'])).sentiment, 'positive')
  assert.equal((await analyse(['I am not very happy'])).sentiment, 'negative')
  assert.equal((await analyse(['It isn’t bad, but the price is terrible'])).sentiment, 'mixed')
})

test('long texts are cut, and the mark says so', async () => {
  const { transcription } = await analyse(Array.from({ length: 3000 }, () => 'abcdefghi'))
  assert.equal(transcription.length, 10_004)
  assert.ok(transcription.endsWith(' […]'))
})

test('foreign audio is counted, in seconds when it is 20 ms a packet', async () => {
  const base64 = Buffer.alloc(160, 42).toString('base64')
  const counted = await analyse(Array.from({ length: 210 }, () => base64))
  assert.equal(counted.transcription, '[4.2 s of audio in 210 packets]')
  assert.equal(counted.sentiment, 'neutral')
  assert.match(counted.summary, /4\.2 s of audio in 210 packets/)
  const raw = await analyse([Buffer.alloc(160, 200), Buffer.alloc(160, 0xff)])
  assert.equal(raw.transcription, '[0.0 s of audio in 2 packets]')
  const wide = await analyse([Buffer.alloc(640, 1), Buffer.alloc(640, 2)])
  assert.equal(wide.transcription, '[audio in 2 packets]')
  assert.equal((await analyse(['UklGRg=='])).transcription, '[audio in 1 packet]')
  assert.equal((await analyse(['hello', Buffer.of(0)])).transcription, '[audio in 2 packets]')
})

test('a call without a packet has a result, too', async () => {
  const { transcription, sentiment } = await analyse([])
  assert.equal(transcription, '[no audio]')
  assert.equal(sentiment, 'neutral')
})
