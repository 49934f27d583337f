// Whatever a PBX codes its audio in, the words of it are found.
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { decodeMuLaw } from '../../src/recording/g711.ts'
import { loadRecordings } from '../../src/simulator/recordings.ts'
import { completeCall, getCall } from '../support/gateway.ts'
import {
  declareFormat,
  muLaw,
  packetsOf,
  startStream,
  storePackets,
} from '../support/recorded-call.ts'
import { sharedGateway } from '../support/shared-gateway.ts'
import { until } from '../support/until.ts'

const { gateway, database } = await sharedGateway()
const { pool } = database
const [recording] = await loadRecordings()
const speech = recording?.audio ?? new Uint8Array()
const turns = recording?.turns ?? []

async function transcription(callId: string): Promise<string> {
  await completeCall(gateway.url, callId)
  const call = await until('the call is archived', async () => {
    const { body } = await getCall(gateway.url, callId)
    return body.status === 'ARCHIVED' && body
  })
  return String(call.transcription)
}

const names = { customer: 'Customer', agent: 'Agent' }
const words = turns.map(({ speaker, text }) => `${names[speaker]}: ${text}`).join('\n')

suite('a call of known speech is transcribed', () => {
  for (const times of [1, 2, 3])
    test(`from linear audio of ${8 * times} kHz`, async () => {
      const samples = decodeMuLaw(speech)
      const wide = Int16Array.from({ length: samples.length * times }, (_, index) =>
        Number(samples[Math.floor(index / times)]),
      )
      const cut = { bytes: 320 * times, seconds: 0.02 }
      const callId = `linear-${times}`
      const packets = packetsOf(callId, 'mixed', new Uint8Array(wide.buffer), cut)
      const call = await storePackets(pool, packets)
      await declareFormat(pool, call, { encoding: 'L16', rate: 8_000 * times, clock: 'arrival' })
      assert.equal(await transcription(callId), words)
    })

  test('from two tracks of large packets', async () => {
    await startStream(pool, 'tracks', ['inbound', 'outbound'], muLaw)
    for (const [track, speaker] of [
      ['inbound', 'customer'],
      ['outbound', 'agent'],
    ] as const) {
      const audio = new Uint8Array(speech.length).fill(0xff)
      for (const { start, end } of turns.filter((turn) => turn.speaker === speaker))
        audio.set(speech.subarray(start * 160, end * 160), start * 160)
      await storePackets(pool, packetsOf('tracks', track, audio, { bytes: 1_600, seconds: 0.2 }))
    }
    assert.equal(await transcription('tracks'), words)
  })
})
