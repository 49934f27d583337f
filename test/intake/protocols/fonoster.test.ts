import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import type { MediaSecrets } from '../../../src/intake/media/protocol.ts'
import { fonoster } from '../../../src/intake/protocols/fonoster.ts'
import { fonosterSignature } from '../../../src/intake/protocols/signatures.ts'
import { connectFake } from '../../support/fake-peer.ts'
import { twilioMessages as messages } from '../../support/json-media.ts'

test('a call of Fonoster is one in Twilio’s words, of the app that it was signed for', () => {
  const { starts, said, receiver } = connectFake(fonoster, {
    headers: { 'x-fonoster-app-ref': 'app-1' },
  })
  for (const message of [
    { event: 'connected', protocol: 'Call', version: '1.0.0' },
    messages.start('call-1', { tracks: ['inbound'] }),
    messages.media({ track: 'inbound', chunk: 1, payload: Buffer.of(9) }),
    messages.stop('call-1'),
  ])
    receiver.text(JSON.stringify(message))
  assert.equal(starts[0]?.callId, 'call-1')
  assert.deepEqual(starts[0]?.channels, ['inbound'])
  assert.deepEqual(starts[0]?.metadata, {
    callSid: 'call-1',
    accountSid: 'AC1',
    appRef: 'app-1',
    parameters: {},
  })
  assert.deepEqual(said.slice(1), [
    ['packet', { track: 'inbound', number: 1, at: 0.02, payload: Buffer.of(9) }],
    ['stopped'],
  ])
})

// Made with `openssl dgst -sha256 -hmac s3cret` over the texts that Fonoster documents.
const url = 'wss://gateway.example.com/media/fonoster?a=1'
const right = {
  'x-fonoster-timestamp': '1700000000',
  'x-fonoster-signature': '12bac5f08d69ce42c034818c9d48d544204ac0bf1f59e0e01deaffaeda982b11',
  'x-fonoster-app-ref': 'app-1',
  'x-fonoster-workspace-ref': 'WO1',
  'x-fonoster-app-signature': '9df57792f854da983b80168c10830d430353d489ef797fe0aa1961a5203e26e7',
}

function refusalOf(headers: object, change: Partial<MediaSecrets> = {}): string | undefined {
  return fonoster.authenticate?.(
    {
      method: 'GET',
      target: '/media/fonoster?a=1',
      headers: { host: '10.0.0.1:8000', ...headers },
    },
    {
      publicUrl: new URL(url).origin,
      twilioAuthToken: null,
      fonosterSecret: 's3cret',
      genesysApiKey: null,
      genesysClientSecret: null,
      now: () => 1_700_000_000_000,
      ...change,
    },
  )
}

suite('the signature of Fonoster', () => {
  test('is accepted, with and without that of the app', () => {
    assert.equal(refusalOf(right), undefined)
    assert.equal(refusalOf({ ...right, 'x-fonoster-app-signature': undefined }), undefined)
  })

  test('is not asked for without FONOSTER_ACCESS_KEY_SECRET', () =>
    assert.equal(refusalOf({}, { fonosterSecret: null }), undefined))

  for (const seconds of [-300, 300])
    test(`may be ${seconds} s from the clock, and no second more`, () => {
      const now = 1_700_000_000_000 + seconds * 1_000
      assert.equal(refusalOf(right, { now: () => now }), undefined)
      assert.match(
        refusalOf(right, { now: () => now + Math.sign(seconds) * 1_000 }) ?? '',
        /^x-fonoster-timestamp is not within 300 s of this gateway's clock$/,
      )
    })

  for (const [what, change] of [
    ['without a timestamp', { 'x-fonoster-timestamp': undefined }],
    ['that is missing', { 'x-fonoster-signature': undefined }],
    ['that is another', { 'x-fonoster-signature': 'a'.repeat(64) }],
    ['that is empty', { 'x-fonoster-signature': '' }],
    ['in capitals', { 'x-fonoster-signature': right['x-fonoster-signature'].toUpperCase() }],
    ['of another app', { 'x-fonoster-app-ref': 'app-2' }],
    ['of another workspace', { 'x-fonoster-workspace-ref': 'WO2' }],
    ['of another second', { 'x-fonoster-timestamp': '1700000001' }],
    ...['soon', '', '-1', '1e9', 'NaN'].map(
      (time) =>
        [
          `of the time ${JSON.stringify(time)}`,
          {
            'x-fonoster-timestamp': time,
            'x-fonoster-signature': fonosterSignature('s3cret', time, url),
            'x-fonoster-app-signature': undefined,
          },
        ] as const,
    ),
  ] as const)
    test(`${what} is refused, and the setting is named`, () => {
      const reason = refusalOf({ ...right, ...change }) ?? ''
      assert.match(reason, /x-fonoster-.*(FONOSTER_ACCESS_KEY_SECRET|clock)/)
      for (const signature of [right['x-fonoster-signature'], right['x-fonoster-app-signature']])
        assert.doesNotMatch(reason, new RegExp(signature, 'i'))
    })

  test('made with another secret, or for another URL, is refused', () => {
    assert.match(refusalOf(right, { fonosterSecret: 'other' }) ?? '', /FONOSTER_ACCESS_KEY_SECRET/)
    assert.match(refusalOf(right, { publicUrl: 'https://other.example.com' }) ?? '', /PUBLIC_URL/)
  })
})
