// Every client of an AI service against every way in which a service fails.
import assert from 'node:assert/strict'
import { after, beforeEach, describe, test } from 'node:test'
import { ProviderError, type ProviderErrorKind } from '../../../src/analysis/provider.ts'
import { createDeepgramTranscriber } from '../../../src/analysis/providers/deepgram.ts'
import { createOpenAiTranscriber } from '../../../src/analysis/providers/openai-transcriber.ts'
import type { Reply } from '../../support/ai/ai-server.ts'
import {
  drips,
  floods,
  hangs,
  refusingUrl,
  resets,
  says,
  sometimes,
  stalls,
  worksAndResets,
} from '../../support/ai/faults.ts'
import { garbageAnswers } from '../../support/ai/garbage.ts'
import {
  apiKey,
  audio,
  failureOf,
  never,
  quotation,
  subjects,
} from '../../support/ai/service-clients.ts'
import { seededFor } from '../../support/seed.ts'
import { until } from '../../support/until.ts'

function error(status: number, headers?: Reply['headers'], code: string | null = null): Reply {
  return {
    status,
    body: JSON.stringify({ error: { message: 'Something is wrong.', type: 'x', code } }),
    ...(headers && { headers }),
  }
}

const refusals: readonly [what: string, reply: Reply, ProviderErrorKind, retryAfter?: number][] = [
  ['500', error(500), 'retryable'],
  ['502 of a proxy', { status: 502, body: '<html><h1>Bad Gateway</h1></html>' }, 'retryable'],
  ['503', error(503), 'retryable'],
  ['503 with a time', error(503, { 'retry-after': '20' }), 'outage', 20],
  [
    '503 of a model that is being loaded',
    { status: 503, body: '{"status":"loading model"}' },
    'outage',
  ],
  ['504', error(504), 'retryable'],
  ['408', error(408), 'retryable'],
  ['409', error(409), 'retryable'],
  ['400', error(400), 'permanent'],
  ['413', error(413), 'permanent'],
  ['415', error(415), 'permanent'],
  ['422', error(422), 'permanent'],
  ['400 because of the bill', error(400, {}, 'billing_hard_limit_reached'), 'configuration'],
  ['401', error(401), 'configuration'],
  ['402', error(402), 'configuration'],
  ['403', error(403), 'configuration'],
  ['404', error(404), 'configuration'],
  ['405', error(405), 'configuration'],
  ['a redirect', error(307, { location: 'http://127.0.0.1:1/' }), 'configuration'],
  ['429', error(429), 'outage'],
  ['429 with seconds', error(429, { 'retry-after': '7' }), 'outage', 7],
  [
    '429 with a date',
    error(429, {
      'retry-after': 'Sun, 06 Nov 1994 08:49:37 GMT',
      date: 'Sun, 06 Nov 1994 08:49:07 GMT',
    }),
    'outage',
    30,
  ],
  ['429 with a negative time', error(429, { 'retry-after': '-7' }), 'outage'],
  ['429 with thirty years', error(429, { 'retry-after': '1000000000' }), 'outage', 3_600],
  ['429 with junk', error(429, { 'retry-after': 'soon' }), 'outage'],
  ['429 with a used-up quota', error(429, {}, 'insufficient_quota'), 'configuration'],
  [
    '429 with a used-up quota that comes back',
    error(429, { 'retry-after': '5' }, 'insufficient_quota'),
    'outage',
    5,
  ],
]

for (const [name, { start, client }] of Object.entries(subjects))
  describe(`${name}:`, async () => {
    const server = await start()
    after(() => server.close())
    beforeEach(() => {
      server.misbehave = () => undefined
    })

    test('an answer is taken, and leaves no connection open', async () => {
      assert.ok(await client(server.url)('call-1'))
      assert.ok(server.done.includes('call-1'))
      await until('all connections are closed', () => server.openSockets() === 0)
    })

    for (const [what, reply, kind, retryAfter] of refusals)
      test(`${what} is ${kind}`, async () => {
        server.misbehave = () => says(reply)
        const failure = await failureOf(server, client(server.url)('a'))
        assert.equal(failure.kind, kind, failure.message)
        assert.equal(failure.retryAfterSeconds, retryAfter)
        assert.match(failure.message, new RegExp(`^\\w+: ${reply.status}\\b`))
        if (String(reply.body).includes('wrong'))
          assert.match(failure.message, /: Something is wrong\.$/)
        assert.doesNotMatch(failure.message, /</)
      })

    for (const [what, reply] of Object.entries(garbageAnswers))
      test(`garbage is retryable: ${what}`, async () => {
        server.misbehave = () => says(reply)
        const failure = await failureOf(server, client(server.url)('a'))
        assert.equal(failure.kind, 'retryable')
        assert.match(failure.message, /: the answer /)
      })

    test('100 MB are not read', async () => {
      const sent = { bytes: 0 }
      server.misbehave = () => floods(100_000_000, sent)
      const limits = { answerBytes: 1_000_000 }
      const failure = await failureOf(server, client(server.url, limits)('a'))
      assert.equal(failure.kind, 'retryable')
      assert.match(failure.message, /larger than 1000000 bytes$/)
      assert.ok(sent.bytes < 30_000_000, `${sent.bytes} bytes were sent`)
    })

    test('an error of 100 MB is not read either', async () => {
      const sent = { bytes: 0 }
      server.misbehave = () => floods(100_000_000, sent, 500)
      const failure = await failureOf(server, client(server.url)('a'))
      assert.equal(failure.message.replace(/^\w+/, ''), ': 500 Internal Server Error')
      assert.ok(sent.bytes < 30_000_000, `${sent.bytes} bytes were sent`)
    })

    test('a connection that is refused is an outage', async () => {
      const failure = await failureOf(undefined, client(await refusingUrl())('a'))
      assert.equal(failure.kind, 'outage')
      assert.match(failure.message, /: cannot be reached \(ECONNREFUSED\)$/)
    })

    test('a name that does not exist is an outage', async () => {
      const failure = await failureOf(undefined, client('http://nowhere.invalid/v1')('a'))
      assert.equal(failure.kind, 'outage')
    })

    test('a server that speaks no TLS where it should is a wrong setting', async () => {
      const failure = await failureOf(server, client(server.url.replace('http:', 'https:'))('a'))
      assert.equal(failure.kind, 'configuration')
      assert.match(failure.message, /no secure connection/)
    })

    test('an address that is none is a wrong setting', async () => {
      for (const url of ['ftp://service.example/v1', 'not an address'])
        assert.equal((await failureOf(undefined, client(url)('a'))).kind, 'configuration', url)
    })

    test('a service that hangs is given up in time', async () => {
      server.misbehave = () => hangs
      const failure = await failureOf(server, client(server.url, { requestSeconds: 0.05 })('a'))
      assert.equal(failure.kind, 'retryable')
      assert.match(failure.message, /: no answer within 0\.05 s$/)
    })

    test('a step has a deadline of its own', async () => {
      server.misbehave = () => hangs
      const failure = await failureOf(server, client(server.url, { totalSeconds: 0.05 })('a'))
      assert.equal(failure.kind, 'retryable')
      assert.match(failure.message, /: no (transcript|mood|summary) within 0\.05 s$/)
    })

    test('an answer that stops in the middle is given up', async () => {
      server.misbehave = () => stalls
      const failure = await failureOf(server, client(server.url, { idleSeconds: 0.05 })('a'))
      assert.equal(failure.kind, 'retryable')
      assert.match(failure.message, /stopped in the middle$/)
    })

    test('an answer that drips for ever is given up, though it is never idle', async () => {
      server.misbehave = () => drips(5)
      const limits = { requestSeconds: 0.2, idleSeconds: 5 }
      const failure = await failureOf(server, client(server.url, limits)('a'))
      assert.equal(failure.kind, 'retryable')
      assert.match(failure.message, /: no answer within 0\.2 s$/)
    })

    test('a connection that breaks is retryable', async () => {
      server.misbehave = () => resets
      const failure = await failureOf(server, client(server.url)('a'))
      assert.equal(failure.kind, 'retryable')
      assert.match(failure.message, /: the connection broke \(ECONNRESET\)$/)
    })

    test('a server that speaks something else than HTTP is retryable', async () => {
      server.misbehave = () => (response) => response.socket?.end('SSH-2.0-OpenSSH_9.2\r\n')
      const failure = await failureOf(server, client(server.url)('a'))
      assert.equal(failure.kind, 'retryable')
      assert.match(failure.message, /: the connection broke \(HPE_\w+\)$/)
    })

    test('work that was done and not told is asked for again with the same key', async () => {
      let lost = false
      server.misbehave = () => {
        const fault = lost ? undefined : worksAndResets
        lost = true
        return fault
      }
      assert.equal((await failureOf(server, client(server.url)('lost'))).kind, 'retryable')
      await client(server.url)('lost')
      assert.deepEqual(
        server.done.filter((key) => key === 'lost'),
        ['lost', 'lost'],
      )
    })

    test('what is aborted rejects with the reason, and the service sees the connection close', async () => {
      for (const fault of [hangs, drips(5), stalls]) {
        server.misbehave = () => fault
        const before = server.requests.length
        const controller = new AbortController()
        const reason = new Error('the lease was lost')
        const asked = client(server.url)('a', controller.signal)
        const refused = assert.rejects(asked, (thrown) => thrown === reason)
        const request = await until('the request', () => server.requests[before])
        controller.abort(reason)
        await refused
        await request.closed
        await until('all connections are closed', () => server.openSockets() === 0)
      }
      const aborted = AbortSignal.abort(new Error('before'))
      const before = server.requests.length
      await assert.rejects(client(server.url)('a', aborted), /^Error: before$/)
      assert.equal(server.requests.length, before)
    })

    test('a quarter of failures: each is retryable, and every request is answered in the end', async (t) => {
      server.misbehave = sometimes(0.25, seededFor(t), says(error(503)))
      const ask = client(server.url)
      const keys = Array.from({ length: 60 }, (_, index) => `many-${index}`)
      await Promise.all(
        keys.map(async (key) => {
          const tryOnce = () => ask(key).catch((failure) => failure)
          let answer = await tryOnce()
          while (answer instanceof ProviderError) {
            assert.equal(answer.kind, 'retryable')
            answer = await tryOnce()
          }
        }),
      )
      const done = server.done.filter((key) => key.startsWith('many-'))
      assert.deepEqual(done.toSorted(), keys.toSorted())
    })

    test('neither keys nor addresses nor what was said come back in a message', async () => {
      const texts = [
        `Incorrect API key provided: ${apiKey}`,
        'Incorrect API key provided: sk-ve*****************6789.',
        'See https://user:password@service.example/keys?token=abcdef',
        `Cannot decode ${Buffer.from(audio.subarray(0, 200)).toString('base64')}`,
        'Card 4111 1111 1111 1111 is not allowed',
        ...(name.includes('transcri') || name === 'Deepgram' ? [] : [quotation]),
        'a\u0000b\u001b[31m\u202e red',
        'x'.repeat(100_000),
      ]
      for (const text of texts) {
        server.misbehave = () =>
          says({ status: 400, body: JSON.stringify({ error: { message: text } }) })
        const failure = await failureOf(server, client(server.url)('a'))
        assert.doesNotMatch(
          failure.message,
          /6789|password|abcdef|UklGR|4111|Featherstone|\p{Cc}|\u202e|x{30}/iu,
        )
      }
    })

    test('a key that cannot be sent is a wrong setting, and is not repeated', async () => {
      const broken = `${apiKey}\n`
      const ask =
        name === 'Deepgram'
          ? createDeepgramTranscriber({ baseUrl: server.url, apiKey: broken })
          : createOpenAiTranscriber({ baseUrl: server.url, apiKey: broken, model: 'whisper-1' })
      const failure = await failureOf(
        undefined,
        ask.transcribe({ idempotencyKey: 'a', audio, seconds: 2 }, never),
      )
      assert.equal(failure.kind, 'configuration')
    })
  })
