import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { test } from 'node:test'
import {
  fonosterHeaders,
  messageSignature,
  twilioSignature,
} from '../../src/simulator/signatures.ts'

test('Twilio: the vectors of an upgrade, with and without a slash at the end', () => {
  const url = 'wss://example.com/media/twilio'
  assert.equal(twilioSignature('12345', url), 'M4VdJ5pt+9kWsgwKulVbueuvHak=')
  assert.equal(twilioSignature('12345', `${url}/`), 'ILdVxrCXgve0c/Xmr/P9Ejr7Q8w=')
})

test('Fonoster: both signatures over time and URL', () => {
  const url = 'wss://example.com/media/fonoster'
  const app = { appRef: 'app', workspaceRef: 'WO1' }
  const hex = (text: string) => createHmac('sha256', 'secret').update(text).digest('hex')
  assert.deepEqual(fonosterHeaders('secret', url, 1_763_683_200, app), {
    'x-fonoster-timestamp': '1763683200',
    'x-fonoster-signature': hex(`1763683200.${url}`),
    'x-fonoster-app-ref': 'app',
    'x-fonoster-workspace-ref': 'WO1',
    'x-fonoster-app-signature': hex(`1763683200\n${url}\napp\nWO1`),
  })
})

test('HTTP message signatures: the vector of Genesys', () => {
  const apiKey = 'SGVsbG8sIEkgYW0gdGhlIEFQSSBrZXkh'
  const parameters =
    `;keyid="${apiKey}";nonce="VGhpc0lzQVVuaXF1ZU5vbmNl";alg="hmac-sha256"` +
    ';created=1641013200;expires=3282026430'
  const headers = messageSignature({
    components: [
      ['@request-target', '/api/v1/voicebiometrics/ws'],
      ['@authority', 'audiohook.example.com'],
      ['audiohook-organization-id', 'd7934305-0972-4844-938e-9060eef73d05'],
      ['audiohook-session-id', '30b0e395-84d3-4570-ac13-9a62d8f514c0'],
      ['audiohook-correlation-id', 'e160e428-53e2-487c-977d-96989bf5c99d'],
      ['x-api-key', apiKey],
    ],
    parameters,
    key: Buffer.from('TXlTdXBlclNlY3JldEtleVRlbGxOby0xITJAMyM0JDU=', 'base64'),
  })
  assert.deepEqual(headers, {
    'signature-input':
      'sig1=("@request-target" "@authority" "audiohook-organization-id" "audiohook-session-id" ' +
      `"audiohook-correlation-id" "x-api-key")${parameters}`,
    signature: 'sig1=:NZBwyBHRRyRoeLqy1IzOa9VYBuI8TgMFt2GRDkDuJh4=:',
  })
})

test('HTTP message signatures: the vector of the draft', () => {
  const headers = messageSignature({
    label: 'sig-b25',
    components: [
      ['date', 'Tue, 20 Apr 2021 02:07:55 GMT'],
      ['@authority', 'example.com'],
      ['content-type', 'application/json'],
    ],
    parameters: ';created=1618884473;keyid="test-shared-secret"',
    key: Buffer.from(
      'uzvJfB4u3N0Jy4T7NZ75MDVcr8zSTInedJtkgcu46YW4XByzNJjxBdtjUkdJPBtbmHhIDi6pcl8jsasjlTMtDQ==',
      'base64',
    ),
  })
  assert.deepEqual(headers, {
    'signature-input':
      'sig-b25=("date" "@authority" "content-type");created=1618884473;keyid="test-shared-secret"',
    signature: 'sig-b25=:pxcQw6G3AjtMBQjwo8XzkZf/bws5LelbaMk5rGIGtE8=:',
  })
})
