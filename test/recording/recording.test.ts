import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { bytesOf, rangeOf } from '../../src/byte-range.ts'
import type { Packet, TrackName } from '../../src/ledger/packet.ts'
import { decodeMuLaw } from '../../src/recording/g711.ts'
import { loadRecordings } from '../../src/simulator/recordings.ts'
import {
  declareFormat,
  muLaw,
  packetsOf,
  startStream,
  storePackets,
} from '../support/recorded-call.ts'
import { seededFor } from '../support/seed.ts'
import { sharedGateway } from '../support/shared-gateway.ts'
import { raw, samplesOf, sox, withoutSox } from '../support/sox.ts'
import { assertChannels, assertSamples, getWav, readWav } from '../support/wav.ts'

const { gateway, database } = await sharedGateway()
const { pool } = database
const recordings = await loadRecordings()
const speech = (index: number) => recordings[index]?.audio ?? new Uint8Array()

/** A stereo call of two conversations, as two tracks of one stream. */
async function storeStereo(callId: string): Promise<number> {
  const call = await startStream(pool, callId, ['inbound', 'outbound'], muLaw)
  await storePackets(pool, packetsOf(callId, 'inbound', speech(0)))
  await storePackets(pool, packetsOf(callId, 'outbound', speech(1)))
  return call
}

const wav = (callId: string, query = '') => readWav(gateway.url, callId, query)

/** Samples, and silence up to a length. */
function padded(samples: Int16Array, length: number): Int16Array {
  const all = new Int16Array(length)
  all.set(samples)
  return all
}

suite('the recording of a call', () => {
  test('on one line is the audio, sample for sample', async () => {
    const call = await storePackets(pool, packetsOf('one-line', 'mixed', speech(0)))
    await declareFormat(pool, call, muLaw)
    const one = await wav('one-line')
    assert.equal(one.rate, 8000)
    assertChannels(one, decodeMuLaw(speech(0)))
  })

  test('is what sox makes of the audio', { skip: withoutSox }, async () => {
    const call = await storePackets(pool, packetsOf('sox', 'mixed', speech(2)))
    await declareFormat(pool, call, muLaw)
    const file = Buffer.from(await (await getWav(gateway.url, 'sox')).arrayBuffer())
    const samples = sox(file, ['-t', 'wav'], ['-t', 'raw'])
    assert.ok(samples.equals(sox(speech(2), raw('u-law'), raw('signed'))))
    assertSamples(samplesOf(samples), decodeMuLaw(speech(2)))
  })

  test('has the customer left and the agent right, and their exchange after a swap', async () => {
    const call = await storeStereo('stereo')
    const length = Math.max(speech(0).length, speech(1).length)
    const customer = padded(decodeMuLaw(speech(0)), length)
    const agent = padded(decodeMuLaw(speech(1)), length)
    assertChannels(await wav('stereo'), customer, agent)
    const { headers } = await getWav(gateway.url, 'stereo')
    await pool.query('UPDATE calls SET tracks_swapped = true WHERE id = $1', [call])
    assertChannels(await wav('stereo'), agent, customer)
    assert.notEqual((await getWav(gateway.url, 'stereo')).headers.get('etag'), headers.get('etag'))
    assertChannels(await wav('stereo', '?track=inbound'), customer)
    assertChannels(await wav('stereo', '?track=outbound'), agent)
  })

  test('is stereo with a silent side when there is but one speaker', async () => {
    const call = await storePackets(pool, packetsOf('half', 'outbound', speech(3)))
    await declareFormat(pool, call, muLaw)
    const silence = new Int16Array(speech(3).length)
    assertChannels(await wav('half'), silence, decodeMuLaw(speech(3)))
  })

  test('is silent exactly where packets are missing', async () => {
    const packets = packetsOf('gaps', 'mixed', speech(0))
    const lost = new Set([1, 2, 10, 500, 501, 502, 700])
    const call = await storePackets(
      pool,
      packets.filter(({ sequence }) => !lost.has(sequence)),
    )
    await declareFormat(pool, call, muLaw)
    const expected = decodeMuLaw(speech(0))
    for (const sequence of lost) expected.fill(0, (sequence - 1) * 160, sequence * 160)
    assertChannels(await wav('gaps'), expected)
  })

  test('of segments that came in any order is the same', async (t) => {
    const random = seededFor(t)
    const packets = packetsOf('shuffled', 'mixed', speech(1))
      .map((packet) => ({ packet, key: random() }))
      .toSorted((one, other) => one.key - other.key)
      .map(({ packet }) => packet)
    const call = await storePackets(pool, packets, 7)
    await declareFormat(pool, call, muLaw)
    assertChannels(await wav('shuffled'), decodeMuLaw(speech(1)))
  })

  test('of base64 over HTTP is the audio', async () => {
    const text = (packet: Packet): Packet => ({
      ...packet,
      encoding: 'text',
      ...rangeOf(Buffer.from(bytesOf(packet).toString('base64'))),
    })
    const call = await storePackets(pool, packetsOf('base64', 'mixed', speech(4)).map(text))
    await declareFormat(pool, call, { ...muLaw, clock: 'arrival' })
    assertChannels(await wav('base64'), decodeMuLaw(speech(4)))
  })

  test('grows with a call in progress', async () => {
    const packets = packetsOf('growing', 'mixed', speech(0))
    const call = await storePackets(pool, packets.slice(0, 100))
    await declareFormat(pool, call, muLaw)
    const first = await getWav(gateway.url, 'growing')
    assert.equal((await first.arrayBuffer()).byteLength, 44 + 100 * 320)
    await storePackets(pool, packets.slice(100))
    const second = await getWav(gateway.url, 'growing')
    assert.notEqual(second.headers.get('etag'), first.headers.get('etag'))
    assert.equal((await second.arrayBuffer()).byteLength, 44 + packets.length * 320)
  })
})

suite('tracks', () => {
  const at = (track: TrackName, from: number) =>
    packetsOf('aligned', track, speech(0).subarray(0, 8000), { bytes: 160, seconds: 0.02, from })

  test('of one stream are aligned by its clock', async () => {
    await startStream(pool, 'aligned', ['inbound', 'outbound'], muLaw)
    await storePackets(pool, at('inbound', 3))
    await storePackets(pool, at('outbound', 3.5))
    const sound = decodeMuLaw(speech(0).subarray(0, 8000))
    const later = new Int16Array(12_000)
    later.set(sound, 4_000)
    assertChannels(await wav('aligned'), padded(sound, 12_000), later)
    assertChannels(await wav('aligned', '?track=outbound'), later)
  })

  test('of different rates have the higher one, the other between its samples', async () => {
    const wide = Int16Array.from({ length: 16_000 }, (_, index) => (index % 200) * 100)
    const narrow = Int16Array.from({ length: 8_000 }, (_, index) => index * 4 - 16_000)
    await startStream(pool, 'rates', ['inbound', 'outbound'], muLaw)
    const cut = { bytes: 640, seconds: 0.02 }
    const bytes = (samples: Int16Array) => new Uint8Array(samples.buffer)
    await storePackets(pool, packetsOf('rates', 'inbound', bytes(wide), cut))
    const call = await storePackets(
      pool,
      packetsOf('rates', 'outbound', bytes(narrow), { ...cut, bytes: 320 }),
    )
    await declareFormat(pool, call, { ...muLaw, encoding: 'L16', rate: 16_000 }, 'inbound')
    await declareFormat(pool, call, { ...muLaw, encoding: 'L16' }, 'outbound')
    const both = await wav('rates')
    assert.equal(both.rate, 16_000)
    const between = Int16Array.from({ length: 15_999 }, (_, index) => index * 2 - 16_000)
    // Behind the last sample there is silence, and half of the way to it.
    const last = (narrow.at(-1) ?? 0) / 2
    assertChannels(both, wide, Int16Array.from([...between, last]))
  })
})

suite('a call without a recording says why', () => {
  const refusal = async (callId: string, query = '') => {
    const response = await getWav(gateway.url, callId, query)
    const { code, detail } = (await response.json()) as { code: string; detail: string }
    return [response.status, code, detail]
  }

  test('when no packet declares a format', async () => {
    await storePackets(pool, packetsOf('opaque', 'mixed', speech(0).subarray(0, 800)))
    assert.deepEqual(await refusal('opaque'), [
      409,
      'no_recording',
      'No packet of this call declares a media format: what they hold is stored, but not known to be audio',
    ])
  })

  test('when the encoding cannot be decoded, or the track has none', async () => {
    const call = await storePackets(pool, packetsOf('amr', 'mixed', speech(0).subarray(0, 800)))
    await declareFormat(pool, call, { ...muLaw, encoding: 'AMR-WB' })
    const why = 'Audio of the encoding AMR-WB cannot be decoded'
    assert.deepEqual(await refusal('amr'), [409, 'no_recording', why])
    const none = 'The call has no audio on its track inbound'
    assert.deepEqual(await refusal('amr', '?track=inbound'), [409, 'no_recording', none])
  })

  test('when it would be too long for a file', async () => {
    const [packet] = packetsOf('days', 'mixed', speech(0).subarray(0, 160))
    assert.ok(packet !== undefined)
    const call = await storePackets(pool, [packet, { ...packet, sequence: 10_000_000_000 }])
    await declareFormat(pool, call, { ...muLaw, clock: 'arrival' })
    const [status, code] = await refusal('days')
    assert.deepEqual([status, code], [409, 'no_recording'])
  })

  test('when there is no such call, or the track is none', async () => {
    assert.deepEqual((await refusal('nobody')).slice(0, 2), [404, 'call_not_found'])
    assert.equal((await getWav(gateway.url, 'amr', '?track=left')).status, 422)
  })
})
