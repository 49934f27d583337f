// The signature of an upgrade, with the vectors of the reference implementation and a clock that stands still.
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import type { MediaSecrets, Upgrade } from '../../../src/intake/media/protocol.ts'
import {
  genesysAuthenticator,
  UsedNonces,
} from '../../../src/intake/protocols/genesys-signature.ts'
import { signedHeaders } from '../../support/audiohook-client.ts'

const created = 1_641_013_200
const apiKey = 'SGVsbG8sIEkgYW0gdGhlIEFQSSBrZXkh'
const secret = 'TXlTdXBlclNlY3JldEtleVRlbGxOby0xITJAMyM0JDU='
const signatureInput =
  'sig1=("@request-target" "@authority" "audiohook-organization-id" "audiohook-session-id" ' +
  '"audiohook-correlation-id" "x-api-key");keyid="SGVsbG8sIEkgYW0gdGhlIEFQSSBrZXkh"' +
  ';nonce="VGhpc0lzQVVuaXF1ZU5vbmNl";alg="hmac-sha256";created=1641013200;expires=3282026430'

const vector: Upgrade = {
  method: 'GET',
  target: '/api/v1/voicebiometrics/ws',
  headers: {
    host: 'audiohook.example.com',
    'audiohook-organization-id': 'd7934305-0972-4844-938e-9060eef73d05',
    'audiohook-session-id': '30b0e395-84d3-4570-ac13-9a62d8f514c0',
    'audiohook-correlation-id': 'e160e428-53e2-487c-977d-96989bf5c99d',
    'x-api-key': apiKey,
    'signature-input': signatureInput,
    signature: 'sig1=:NZBwyBHRRyRoeLqy1IzOa9VYBuI8TgMFt2GRDkDuJh4=:',
  },
}

const secrets = (more: Partial<MediaSecrets> = {}): MediaSecrets => ({
  publicUrl: null,
  twilioAuthToken: null,
  fonosterSecret: null,
  genesysApiKey: apiKey,
  genesysClientSecret: secret,
  now: () => created * 1_000,
  ...more,
})

function judge(
  change: Partial<Upgrade['headers']>,
  more: Partial<MediaSecrets> = {},
  target?: string,
) {
  const upgrade = { ...vector, headers: { ...vector.headers, ...change } }
  return genesysAuthenticator()(
    target === undefined ? upgrade : { ...upgrade, target },
    secrets(more),
  )
}

/** Headers with a signature that is right; of a client that is told otherwise. */
function sign(change: Partial<Parameters<typeof signedHeaders>[0]> = {}) {
  return signedHeaders({
    apiKey,
    secret,
    target: vector.target,
    authority: 'audiohook.example.com',
    created,
    nonce: 'VGhpc0lzQVVuaXF1ZU5vbmNl',
    ...change,
  })
}

test('the vector of the reference implementation is accepted', () => {
  assert.equal(judge({}), undefined)
})

suite('what is demanded', () => {
  test('depends on the settings: nothing, the key, or a signature', () => {
    const nothing = { genesysApiKey: null, genesysClientSecret: null }
    const unsigned = { signature: undefined, 'signature-input': undefined }
    assert.equal(judge({ 'x-api-key': undefined, ...unsigned }, nothing), undefined)
    assert.equal(judge(unsigned, { genesysClientSecret: null }), undefined)
    for (const key of ['other', '', undefined])
      assert.match(
        judge({ 'x-api-key': key, ...unsigned }, { genesysClientSecret: null }) ?? '',
        /X-API-KEY is not GENESYS_API_KEY/,
      )
    assert.match(judge(unsigned) ?? '', /Signature and Signature-Input are missing/)
    assert.equal(judge({}, { genesysApiKey: null }), undefined)
    assert.match(judge({}, { genesysApiKey: 'other' }) ?? '', /X-API-KEY is not GENESYS_API_KEY/)
  })
})

suite('a signature is refused', () => {
  for (const [what, reason, change, target] of [
    ['for another path', /does not fit/, {}, '/media/genesys'],
    ['for another host', /does not fit/, { host: 'evil.example.com' }],
    ['for another session', /does not fit/, { 'audiohook-session-id': crypto.randomUUID() }],
    ['made with another secret', /does not fit/, sign({ secret: 'AAAA' })],
    ['cut short', /does not fit/, { signature: 'sig1=:NZBw:' }],
    ['that is none', /cannot be read/, { signature: 'sig1=NZBw' }],
    ['of another name', /cannot be read/, { signature: 'sig2=:NZBw:' }],
    ['whose input is none', /cannot be read/, { 'signature-input': 'sig1="x"' }],
    [
      'of a part that is not there',
      /parts that the request does not have/,
      {
        'signature-input': signatureInput.replace('"x-api-key")', '"x-api-key" "date")'),
      },
    ],
    [
      'that does not cover the host',
      /should cover @authority as well/,
      {
        'signature-input': signatureInput.replace(' "@authority"', ''),
      },
    ],
    [
      'that covers a part twice',
      /a part twice/,
      {
        'signature-input': signatureInput.replace('"x-api-key")', '"x-api-key" "x-api-key")'),
      },
    ],
    [
      'with another key id',
      /keyid should be/,
      {
        'signature-input': signatureInput.replace('keyid="SGV', 'keyid="XXX'),
      },
    ],
    [
      'with another algorithm',
      /alg should be/,
      {
        'signature-input': signatureInput.replace('hmac-sha256', 'hmac-md5'),
      },
    ],
    ['with a short nonce', /nonce should be/, sign({ nonce: 'VGhpc0lzQVVuaXF1ZU5vb' })],
    [
      'without a nonce',
      /nonce should be/,
      {
        'signature-input': signatureInput.replace(/;nonce="[^"]*"/, ''),
      },
    ],
    [
      'without its time',
      /does not say when/,
      {
        'signature-input': signatureInput.replace(';created=1641013200', ''),
      },
    ],
    [
      'that has expired',
      /has expired/,
      {
        'signature-input': signatureInput.replace('3282026430', String(created - 4)),
      },
    ],
  ] as const)
    test(what, () => {
      assert.match(judge(change, {}, target) ?? 'accepted', reason)
    })

  test('13 s after it was made, and 3 s before', () => {
    const at = (seconds: number) => judge({}, { now: () => (created + seconds) * 1_000 })
    assert.equal(at(12.9), undefined)
    assert.match(at(13.1) ?? '', /too old/)
    assert.equal(at(-2.9), undefined)
    assert.match(at(-3.1) ?? '', /in the future/)
  })

  test('the second time', () => {
    const authenticate = genesysAuthenticator()
    assert.equal(authenticate(vector, secrets()), undefined)
    assert.equal(authenticate(vector, secrets()), 'The signature was used before')
    const other = { ...vector, headers: { ...vector.headers, ...sign({ nonce: 'n'.repeat(22) }) } }
    assert.equal(authenticate(other, secrets()), undefined)
  })

  test('without using its nonce up when it does not fit', () => {
    const authenticate = genesysAuthenticator()
    const forged = { ...vector, headers: { ...vector.headers, signature: 'sig1=:AAAA:' } }
    assert.match(authenticate(forged, secrets()) ?? '', /does not fit/)
    assert.equal(authenticate(vector, secrets()), undefined)
  })
})

suite('the public URL', () => {
  test('counts instead of the Host that a proxy made of it', () => {
    const headers = { ...sign({ authority: 'pbx.example.com' }), host: '10.0.0.7:8000' }
    assert.match(judge(headers) ?? '', /PUBLIC_URL differs/)
    for (const publicUrl of ['https://pbx.example.com', 'wss://pbx.example.com:443'])
      assert.equal(judge(headers, { publicUrl }), undefined)
  })

  test('has a path that stands before that of the request', () => {
    const headers = sign({
      authority: 'pbx.example.com:8443',
      target: '/gateway/media/genesys?a=b',
    })
    const publicUrl = 'https://pbx.example.com:8443/gateway'
    assert.equal(judge(headers, { publicUrl }, '/media/genesys?a=b'), undefined)
  })

  test('if none is told, Host is taken without a standard port', () => {
    assert.equal(judge({ host: 'AudioHook.example.com:443' }), undefined)
    assert.equal(
      judge({ ...sign({ authority: 'a.example:8000' }), host: 'a.example:8000' }),
      undefined,
    )
  })
})

suite('used nonces', () => {
  test('are forgotten when their signatures are too old', () => {
    const nonces = new UsedNonces()
    assert.ok(nonces.use('one', 13, 0))
    assert.ok(!nonces.use('one', 13, 13))
    assert.ok(nonces.use('two', 30, 14))
    assert.equal(nonces.size, 1)
    assert.ok(nonces.use('one', 30, 14))
  })

  test('never take more room than is given', () => {
    const nonces = new UsedNonces(10)
    for (let index = 0; index < 1_000; index += 1) assert.ok(nonces.use(`${index}`, 13, 0))
    assert.equal(nonces.size, 10)
  })
})
