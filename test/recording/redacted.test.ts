// What was taken out of a transcript can be left out of the recording.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { muLaw, packetsOf, startStream, storePackets } from '../support/recorded-call.ts'
import { sharedGateway } from '../support/shared-gateway.ts'

const { gateway, database } = await sharedGateway()
const { pool } = database

async function samplesOf(query: string): Promise<Int16Array> {
  const reply = await fetch(`${gateway.url}/v1/call/card/recording.wav?${query}`)
  assert.equal(reply.status, 200)
  return new Int16Array(await reply.arrayBuffer(), 44)
}

test('with redacted=true the sentence is silent, on its track, and everything else is as it was', async () => {
  const call = await startStream(pool, 'card', ['inbound', 'outbound'], muLaw)
  for (const track of ['inbound', 'outbound'] as const)
    await storePackets(pool, packetsOf('card', track, new Uint8Array(32_000).fill(0x40)))
  const utterances = [{ start: 1.25, end: 1.75, text: '[card]', track: 'inbound' }]
  const findings = [{ class: 'card', start: 1.4, end: 1.5 }]
  await pool.query(
    `INSERT INTO analysis_steps (call, step, track, provider, result, usage, latency_ms)
     VALUES ($1, 'transcript', 'inbound', 'test', $2, '{}', 1)`,
    [call, JSON.stringify({ text: null, utterances, findings })],
  )
  for (const [track, isMuted] of [
    ['inbound', true],
    ['outbound', false],
  ] as const) {
    const whole = await samplesOf(`track=${track}`)
    const redacted = await samplesOf(`track=${track}&redacted=true`)
    assert.ok(whole.every((sample) => sample !== 0))
    // A quarter of a second before and after is silent, too.
    const expected = isMuted ? whole.map((s, at) => (at >= 8_000 && at < 16_000 ? 0 : s)) : whole
    assert.deepEqual(redacted, expected, track)
  }
  const part = await fetch(
    `${gateway.url}/v1/call/card/recording.wav?track=inbound&redacted=true`,
    {
      headers: { range: `bytes=${44 + 2 * 7_999}-${44 + 2 * 8_001 - 1}` },
    },
  )
  const [before, first] = new Int16Array(await part.arrayBuffer())
  assert.ok(part.status === 206 && before !== 0 && first === 0)
})
