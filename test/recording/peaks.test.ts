import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assertMatches, readOpenApi } from '../support/openapi.ts'
import {
  declareFormat,
  muLaw,
  packetsOf,
  startStream,
  storePackets,
} from '../support/recorded-call.ts'
import { sharedGateway } from '../support/shared-gateway.ts'

const { gateway, database } = await sharedGateway()
const { pool } = database
const document = await readOpenApi(gateway.url)
const schema =
  document.paths['/v1/call/{call_id}/peaks']?.get?.responses['200']?.content?.['application/json']
    ?.schema

type Peaks = {
  readonly duration_ms: number
  readonly tracks: readonly (Readonly<Record<string, unknown>> & {
    readonly peaks: readonly (readonly [number, number])[]
    readonly gaps: readonly object[]
  })[]
}

async function peaks(callId: string, query = ''): Promise<Peaks> {
  const response = await fetch(`${gateway.url}/v1/call/${callId}/peaks${query}`)
  const body = (await response.json()) as Peaks
  assert.equal(response.status, 200, JSON.stringify(body))
  assert.ok(schema !== undefined)
  assertMatches(schema, body, 'the peaks')
  return body
}

/** A second of a square wave that grows from a quarter to full scale and rests in between, in 20 ms of L16. */
const wave = Int16Array.from({ length: 8_000 }, (_, index) => {
  const level = [8_192, 0, 16_384, 32_767][Math.floor(index / 2_000)] ?? 0
  return index % 2 === 0 ? level : -level - (level === 32_767 ? 1 : 0)
})
const linear = { ...muLaw, encoding: 'L16' }
const cut = { bytes: 320, seconds: 0.02 }
const waveBytes = new Uint8Array(wave.buffer)

test('peaks are the least and the greatest sample of each part', async () => {
  const call = await storePackets(pool, packetsOf('wave', 'mixed', waveBytes, cut))
  await declareFormat(pool, call, linear)
  const { duration_ms, tracks } = await peaks('wave', '?points=4')
  assert.equal(duration_ms, 1_000)
  assert.deepEqual(tracks, [
    {
      track: 'mixed',
      role: 'both',
      start_ms: 0,
      duration_ms: 1_000,
      peaks: [
        [-0.25, 0.25],
        [0, 0],
        [-0.5, 0.5],
        [-1, 1],
      ],
      gaps: [],
      gaps_total: 0,
    },
  ])
  assert.equal((await peaks('wave')).tracks[0]?.peaks.length, 1_000)
})

test('peaks of all tracks share the time of the call, and show the gaps', async () => {
  await startStream(pool, 'pair', ['inbound', 'outbound'], linear)
  await storePackets(
    pool,
    packetsOf('pair', 'inbound', waveBytes, cut).filter(
      ({ sequence }) => sequence <= 37 || sequence > 40,
    ),
  )
  await storePackets(pool, packetsOf('pair', 'outbound', waveBytes, { ...cut, from: 1 }))
  const { duration_ms, tracks } = await peaks('pair', '?points=8')
  assert.equal(duration_ms, 2_000)
  const [inbound, outbound] = tracks
  assert.deepEqual(inbound?.peaks.slice(3), [
    [-1, 1],
    [0, 0],
    [0, 0],
    [0, 0],
    [0, 0],
  ])
  assert.deepEqual(outbound?.peaks.slice(0, 5), [
    [0, 0],
    [0, 0],
    [0, 0],
    [0, 0],
    [-0.25, 0.25],
  ])
  assert.deepEqual([inbound?.start_ms, outbound?.start_ms], [0, 1_000])
  assert.deepEqual(inbound?.gaps, [
    {
      start_ms: 740,
      duration_ms: 60,
      first_sequence: 38,
      last_sequence: 40,
      packets: 3,
      cause: 'missing',
    },
  ])
  const alone = await peaks('pair', '?points=8&track=outbound')
  assert.deepEqual(alone.tracks, [outbound])
})

test('peaks are bounded', async () => {
  for (const points of [0, 10_001, 'x']) {
    const response = await fetch(`${gateway.url}/v1/call/wave/peaks?points=${points}`)
    assert.equal(response.status, 422)
  }
})

test('a call without audio has none, and says why', async () => {
  await storePackets(pool, packetsOf('opaque', 'mixed', waveBytes, cut))
  const response = await fetch(`${gateway.url}/v1/call/opaque/peaks`)
  assert.equal(response.status, 409)
  assert.equal(((await response.json()) as { code: string }).code, 'no_recording')
})
