import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import twilioLibrary from 'twilio'
import type { MediaSecrets } from '../../../src/intake/media/protocol.ts'
import {
  fonosterSignature,
  isOneOf,
  signedUrls,
  twilioSignature,
} from '../../../src/intake/protocols/signatures.ts'
import { twilio } from '../../../src/intake/protocols/twilio.ts'

const token = '12345'

suite('the signature of Twilio', () => {
  for (const [url, signature] of [
    ['wss://example.com/media/twilio', 'M4VdJ5pt+9kWsgwKulVbueuvHak='],
    ['wss://example.com/media/twilio/', 'ILdVxrCXgve0c/Xmr/P9Ejr7Q8w='],
    [
      'https://mycompany.com/myapp.php?foo=1&bar=2CallSidCA1234567890ABCDECaller+14158675309Digits1234From+14158675309To+18005551212',
      'RSOYDt4T1cUTdK1PDd93/VVr8B8=',
    ],
  ] as const)
    test(`over ${url.slice(0, 40)} is ${signature}`, () =>
      assert.equal(twilioSignature(token, url), signature))

  test('is what Twilio’s own library makes', () => {
    for (const url of ['wss://example.com/media/twilio', 'wss://a.b:8443/x/media/twilio?q=ü&r=%20'])
      assert.equal(
        twilioSignature(token, url),
        twilioLibrary.getExpectedTwilioSignature(token, url, {}),
      )
  })
})

test('the signature of Fonoster is HMAC-SHA256 in hex, as openssl makes it', () => {
  const url = 'wss://gateway.example.com/media/fonoster?a=1'
  assert.equal(
    fonosterSignature('s3cret', '1700000000', url),
    '12bac5f08d69ce42c034818c9d48d544204ac0bf1f59e0e01deaffaeda982b11',
  )
  assert.equal(
    fonosterSignature('s3cret', '1700000000', url, { ref: 'app-1', workspace: 'WO1' }),
    '9df57792f854da983b80168c10830d430353d489ef797fe0aa1961a5203e26e7',
  )
})

suite('a comparison', () => {
  test('finds the one that is right among several', () => {
    assert.ok(isOneOf('b', ['a', 'b', 'c']))
    assert.ok(!isOneOf('d', ['a', 'b', 'c']))
  })

  test('takes anything that a header can hold', () => {
    for (const came of ['', 'ä', 'a'.repeat(10_000), '\ud800'])
      assert.ok(!isOneOf(came, ['M4VdJ5pt+9kWsgwKulVbueuvHak=']))
  })
})

suite('the URLs that may have been signed', () => {
  const of = (publicUrl: string | null, target = '/media/twilio', host = '10.0.0.1:8000') =>
    signedUrls({ target, headers: { host } }, publicUrl)

  for (const [publicUrl, ...signed] of [
    [
      'https://a.example',
      'wss://a.example/media/twilio',
      'wss://a.example:443/media/twilio',
      'wss://a.example/media/twilio/',
      'ws://a.example/media/twilio',
      'ws://a.example:80/media/twilio',
    ],
    ['http://a.example', 'wss://a.example/media/twilio', 'ws://a.example/media/twilio'],
    ['wss://a.example:443', 'wss://a.example/media/twilio', 'wss://a.example:443/media/twilio'],
    ['https://a.example:8443', 'wss://a.example:8443/media/twilio', 'wss://a.example/media/twilio'],
    [
      'https://a.example/pbx',
      'wss://a.example/pbx/media/twilio',
      'wss://a.example/pbx/media/twilio/',
    ],
    ['https://[2001:db8::1]:8443/p', 'wss://[2001:db8::1]:8443/p/media/twilio'],
    [
      'https://[2001:db8::1]',
      'wss://[2001:db8::1]/media/twilio',
      'wss://[2001:db8::1]:443/media/twilio',
    ],
  ] as const)
    test(`begin with PUBLIC_URL ${publicUrl}`, () => {
      for (const url of signed) assert.ok(of(publicUrl).includes(url), `${url}: ${of(publicUrl)}`)
    })

  test('are those of the request where there is no PUBLIC_URL', () => {
    assert.ok(of(null).includes('wss://10.0.0.1:8000/media/twilio'))
    assert.ok(of(null).includes('ws://10.0.0.1:8000/media/twilio'))
  })

  test('never follow the header Host where there is one', () => {
    for (const url of of('https://a.example')) assert.doesNotMatch(url, /10\.0\.0\.1/)
  })

  test('have the slash at the end of the path, not of the query', () => {
    const urls = of('https://a.example', '/media/twilio?a=/x?y')
    assert.ok(urls.includes('wss://a.example/media/twilio?a=/x?y'))
    assert.ok(urls.includes('wss://a.example/media/twilio/?a=/x?y'))
    assert.ok(of('https://a.example', '/media/twilio/').includes('wss://a.example/media/twilio'))
  })

  test('are few', () => {
    const urls = of('https://a.example:8443/pbx', '/media/twilio?a=1')
    assert.equal(new Set(urls).size, urls.length)
    assert.ok(urls.length <= 12)
  })
})

suite('an upgrade of Twilio', () => {
  const url = 'wss://gateway.example.com/pbx/media/twilio'
  const signature = twilioLibrary.getExpectedTwilioSignature(token, url, {})

  function refusalOf(headers: object, change: Partial<MediaSecrets> = {}): string | undefined {
    return twilio.authenticate?.(
      { method: 'GET', target: '/media/twilio', headers: { host: '127.0.0.1:8000', ...headers } },
      {
        publicUrl: 'https://gateway.example.com/pbx',
        twilioAuthToken: token,
        fonosterSecret: null,
        genesysApiKey: null,
        genesysClientSecret: null,
        now: Date.now,
        ...change,
      },
    )
  }

  test('signed by Twilio’s own library is accepted', () =>
    assert.equal(refusalOf({ 'x-twilio-signature': signature }), undefined))

  test('need not be signed without TWILIO_AUTH_TOKEN', () =>
    assert.equal(refusalOf({}, { twilioAuthToken: null }), undefined))

  for (const [what, headers, change] of [
    ['without a signature', {}, {}],
    ['with an empty one', { 'x-twilio-signature': '' }, {}],
    ['with another one', { 'x-twilio-signature': signature.replace(/^./, '_') }, {}],
    ['signed with another token', { 'x-twilio-signature': signature }, { twilioAuthToken: '1' }],
    [
      'signed for another URL',
      { 'x-twilio-signature': signature },
      { publicUrl: 'https://gateway.example.com' },
    ],
  ] as const)
    test(`${what} is refused: the settings are named, and the right signature is not`, () => {
      const reason = refusalOf(headers, change) ?? ''
      assert.match(reason, /TWILIO_AUTH_TOKEN/)
      if ('x-twilio-signature' in headers) assert.match(reason, /PUBLIC_URL/)
      assert.ok(!reason.includes(signature))
    })
})
