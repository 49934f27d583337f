import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { bytesOf as payloadOf, rangeOf } from '../../src/byte-range.ts'
import type { Packet } from '../../src/ledger/packet.ts'
import { type Random, seededRandom } from '../../src/random.ts'
import { measureCall } from '../../src/recording/measure.ts'
import { planWav, wavBytes } from '../../src/recording/wav.ts'
import { loadRecordings } from '../../src/simulator/recordings.ts'
import { opusSpeech } from '../support/opus.ts'
import {
  type DeclaredFormat,
  declareFormat,
  muLaw,
  packetsOf,
  startStream,
  storePackets,
} from '../support/recorded-call.ts'
import { seededFor } from '../support/seed.ts'
import { sharedGateway } from '../support/shared-gateway.ts'
import { getWav } from '../support/wav.ts'

const { gateway, database } = await sharedGateway()
const { pool } = database
const recordings = await loadRecordings()
const speech = Buffer.concat(recordings.map(({ audio }) => audio))

type Source = { readonly format: DeclaredFormat; readonly payloads: readonly Uint8Array[] }

const telephone: Source = {
  format: muLaw,
  payloads: packetsOf('', 'mixed', speech.subarray(0, 400_000)).map(payloadOf),
}
const opus: Source = {
  format: { ...muLaw, encoding: 'OPUS', rate: 16_000 },
  payloads: Array.from({ length: 12 }, opusSpeech).flat(),
}

/** A stereo call of more than two checkpoints with gaps; its tracks begin half a second apart. */
async function storeCall(callId: string, sources: readonly Source[], random: Random) {
  const tracks = ['inbound', 'outbound'] as const
  const call = await startStream(pool, callId, tracks, muLaw)
  for (const [index, { format, payloads }] of sources.entries()) {
    const track = tracks[index] ?? 'mixed'
    const packets = payloads
      .map((payload, place): Packet => {
        const timestamp = index / 2 + place * 0.02
        const range = rangeOf(payload)
        return { callId, track, sequence: place + 1, timestamp, encoding: 'binary', ...range }
      })
      .filter(({ sequence }) => sequence % 97 !== 0)
      .map((packet) => ({ packet, place: packet.sequence + random() * 40 }))
      .toSorted((one, other) => one.place - other.place)
      .map(({ packet }) => packet)
    await storePackets(pool, packets, 13)
    await declareFormat(pool, call, format, track)
  }
  return call
}

/** A part of the recording, or all of it. */
async function bytesOf(call: number, first?: number, last?: number): Promise<Buffer> {
  const plan = planWav(call, await measureCall(pool, call), false, undefined)
  const parts = wavBytes(pool, plan, first ?? 0, Math.min(last ?? plan.bytes, plan.bytes) - 1)
  return Buffer.concat(await Array.fromAsync(parts))
}

const cases = [
  ['telephone audio', [telephone, telephone]],
  ['two rates', [telephone, { ...telephone, format: { ...muLaw, rate: 12_000 } }]],
  ['G.722', [telephone, { ...telephone, format: { ...muLaw, encoding: 'G722' } }]],
  ['Opus', [telephone, opus]],
] as const

for (const [name, sources] of cases)
  test(`any part of ${name} is what stands there in the whole`, async (t) => {
    const random = seededFor(t)
    const call = await storeCall(name.replaceAll(' ', '-'), sources, random)
    const whole = await bytesOf(call)
    const anywhere = () => Math.floor(random() * whole.length)
    const cuts = [
      0,
      1,
      43,
      44,
      45,
      46,
      47,
      48,
      whole.length - 1,
      ...Array.from({ length: 12 }, anywhere),
    ]
    for (const cut of cuts) {
      const length = 1 + Math.floor(random() * 100_000)
      const part = await bytesOf(call, cut, cut + length)
      assert.ok(part.equals(whole.subarray(cut, cut + length)), `${length} from ${cut}`)
    }
    const [one = 0, other = 0] = [anywhere(), anywhere()].toSorted((a, b) => a - b)
    const parts = [bytesOf(call, 0, one), bytesOf(call, one, other), bytesOf(call, other)]
    assert.ok(Buffer.concat(await Promise.all(parts)).equals(whole))
  })

suite('over HTTP', () => {
  const stored = storeCall('served', [telephone, telephone], seededRandom(1))
  const ask = async (headers: Record<string, string> = {}, method = 'GET') => {
    await stored
    const response = await getWav(gateway.url, 'served', '', { headers, method })
    return { response, body: Buffer.from(await response.arrayBuffer()) }
  }

  test('a range is answered with 206, what it is of, and its bytes', async () => {
    const { response, body: whole } = await ask()
    assert.equal(response.status, 200)
    assert.equal(response.headers.get('accept-ranges'), 'bytes')
    for (const [range, first, last] of [
      ['bytes=0-0', 0, 0],
      ['bytes=40-50', 40, 50],
      ['bytes=100001-300002', 100_001, 300_002],
      ['bytes=-1000', whole.length - 1000, whole.length - 1],
      [`bytes=${whole.length - 1}-`, whole.length - 1, whole.length - 1],
    ] as const) {
      const part = await ask({ range })
      assert.equal(part.response.status, 206)
      assert.equal(
        part.response.headers.get('content-range'),
        `bytes ${first}-${last}/${whole.length}`,
      )
      assert.equal(part.response.headers.get('content-length'), `${last - first + 1}`)
      assert.ok(part.body.equals(whole.subarray(first, last + 1)), range)
    }
  })

  test('a range beyond the end is refused with the length', async () => {
    const { body: whole } = await ask()
    const { response, body } = await ask({ range: `bytes=${whole.length}-` })
    assert.equal(response.status, 416)
    assert.equal(response.headers.get('content-range'), `bytes */${whole.length}`)
    assert.equal(JSON.parse(String(body)).code, 'range_not_satisfiable')
  })

  test('HEAD says the same without a body', async () => {
    const { response, body: whole } = await ask()
    for (const headers of [{}, { range: 'bytes=10-19' }]) {
      const { response: head, body } = await ask(headers, 'HEAD')
      const isPart = 'range' in headers
      assert.equal(head.status, isPart ? 206 : 200)
      assert.equal(head.headers.get('content-length'), isPart ? '10' : `${whole.length}`)
      assert.equal(head.headers.get('content-type'), 'audio/wav')
      assert.equal(head.headers.get('etag'), response.headers.get('etag'))
      assert.equal(body.length, 0)
    }
    const { status } = await getWav(gateway.url, 'nobody', '', { method: 'HEAD' })
    assert.equal(status, 404)
  })

  test('a part is sent only of the file that the client knows', async () => {
    const { response } = await ask()
    const tag = response.headers.get('etag') ?? ''
    assert.match(tag, /^"[\w.-]+"$/)
    const range = 'bytes=0-9'
    assert.equal((await ask({ range, 'if-range': tag })).response.status, 206)
    assert.equal((await ask({ range, 'if-range': '"other"' })).response.status, 200)
    assert.equal((await ask({ 'if-none-match': `"other", ${tag}` })).response.status, 304)
    assert.equal((await ask({ 'if-none-match': '"other"' })).response.status, 200)
  })
})
