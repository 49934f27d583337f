// `data` is opaque: whatever text a client sends is stored byte for byte, and read from the table to be sure.
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { seededRandom } from '../../src/random.ts'
import { completeCall, getCall, sendPacket } from '../support/gateway.ts'
import { injections } from '../support/hostile-texts.ts'
import { sharedGateway } from '../support/shared-gateway.ts'
import { storedPackets } from '../support/stored-packets.ts'
import { until } from '../support/until.ts'

const { gateway, database } = await sharedGateway()

/** Base64 of noise, as audio looks. */
function audio(bytes: number): string {
  const random = seededRandom(2)
  return Buffer.from(Array.from({ length: bytes }, () => random() * 256)).toString('base64')
}

const texts: readonly (readonly [name: string, text: string])[] = [
  ['the words of the older services', 'audio chunk'],
  ['one character', 'a'],
  ['one space', ' '],
  ['white space around', ' \t audio \r\n'],
  ['emoji', '☎️ 👩‍👩‍👧‍👦 🏴󠁧󠁢󠁳󠁣󠁴󠁿'],
  ['quotes of all kinds', `'"\`´‘’“”`],
  ['backslashes', '\\ \\\\ \\n \\u0000 \\x00'],
  ['a NUL', '\0'],
  ['NULs within', 'a\0b\0\0c'],
  ['every control character', String.fromCharCode(...Array(32).keys(), 127)],
  ['every byte as a character', String.fromCharCode(...Array(256).keys())],
  ['a byte order mark', '\ufeffaudio'],
  ['the replacement character', '\ufffd'],
  ['what is no character', '\uffff\ufffe'],
  ['the last character of all', '\u{10ffff}'],
  ['private use', '\ue000'],
  ['text from right to left', '\u202eשלום'],
  ['an accent, composed', 'caf\u00e9'],
  ['an accent, decomposed', 'cafe\u0301'],
  ['JSON', '{"sequence":2,"data":"x"}'],
  ['an array of PostgreSQL', '{NULL,"a"}'],
  ['base64 of 20 ms', audio(160)],
  ['200 kB of base64', audio(150_000)],
  ['200 kB of three-byte characters', '☎'.repeat(66_667)],
  ['200 kB of NULs', '\0'.repeat(200_000 / 6)],
  ['nearly a megabyte', 'b'.repeat(2 ** 20 - 100)],
  ...injections.map((text) => [`the text ${JSON.stringify(text)}`, text] as const),
]

suite('data is stored byte for byte', () => {
  for (const [index, [name, text]] of texts.entries())
    test(name, async () => {
      const callId = `data-${index}`
      assert.equal((await sendPacket(gateway.url, callId, 1, text)).status, 202)
      const [packet, ...others] = await storedPackets(database.pool, callId)
      assert.equal(others.length, 0)
      assert.ok(packet?.data.equals(Buffer.from(text, 'utf8')), String(packet?.data))
    })

  test('also when all of it is one call, sent at once, which ends as any other', async () => {
    const sent = texts.map(([, text], index) => sendPacket(gateway.url, 'all', index + 1, text))
    for (const { status } of await Promise.all(sent)) assert.equal(status, 202)
    const stored = await storedPackets(database.pool, 'all')
    assert.deepEqual(
      stored.map(({ sequence }) => sequence),
      texts.map((_, index) => index + 1),
    )
    for (const { sequence, data } of stored)
      assert.ok(data.equals(Buffer.from(texts[sequence - 1]?.[1] ?? '', 'utf8')))
    await completeCall(gateway.url, 'all')
    await until('the end of the call', async () => {
      const { body } = await getCall(gateway.url, 'all')
      return body.status === 'ARCHIVED' && body.transcription !== null
    })
  })

  test('text with a NUL goes through the analysis, too', async () => {
    await sendPacket(gateway.url, 'nul', 1, 'hello \0 world')
    await completeCall(gateway.url, 'nul')
    await until('the end of the call', async () => {
      const { body } = await getCall(gateway.url, 'nul')
      return body.status === 'ARCHIVED'
    })
  })
})
