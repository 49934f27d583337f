import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { gradeOf, roleOf } from '../../src/recording/quality.ts'
import { loadRecordings } from '../../src/simulator/recordings.ts'
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
const [speech = new Uint8Array()] = (await loadRecordings()).map(({ audio }) => audio)
const document = await readOpenApi(gateway.url)
const schema =
  document.paths['/v1/call/{call_id}/quality']?.get?.responses['200']?.content?.['application/json']
    ?.schema

type Track = Readonly<Record<string, unknown>> & { readonly gaps: readonly object[] }
type Quality = Readonly<Record<string, unknown>> & { readonly tracks: readonly Track[] }

async function quality(callId: string): Promise<Quality> {
  const response = await fetch(`${gateway.url}/v1/call/${callId}/quality`)
  const body = (await response.json()) as Quality
  assert.equal(response.status, 200, JSON.stringify(body))
  assert.ok(schema !== undefined)
  assertMatches(schema, body, 'the quality')
  return body
}

/** A second of packets. */
const second = (callId: string, track: 'inbound' | 'outbound' | 'mixed' = 'mixed') =>
  packetsOf(callId, track, speech.subarray(0, 8_000))

suite('the quality of a call', () => {
  test('without loss is A, and tells what each track is', async () => {
    await startStream(pool, 'whole', ['inbound', 'outbound'], muLaw)
    await storePackets(pool, second('whole', 'inbound'))
    await storePackets(pool, second('whole', 'outbound').slice(0, 25))
    const track = {
      encoding: 'PCMU',
      rate: 8000,
      duplicate: 0,
      late: 0,
      reordered: 0,
      missing_packets: '',
      missing_count: 0,
      missing_ms: 0,
      gaps: [],
      gaps_total: 0,
    }
    assert.deepEqual(await quality('whole'), {
      call_id: 'whole',
      status: 'IN_PROGRESS',
      grade: 'A',
      lost_ms: 0,
      duration_ms: 1000,
      tracks: [
        { track: 'inbound', role: 'customer', ...track, received: 50, duration_ms: 1000 },
        { track: 'outbound', role: 'agent', ...track, received: 25, duration_ms: 500 },
      ],
    })
    await pool.query(`UPDATE calls SET tracks_swapped = true WHERE call_id = 'whole'`)
    const { tracks } = await quality('whole')
    assert.deepEqual(
      tracks.map(({ role }) => role),
      ['agent', 'customer'],
    )
  })

  test('names missing packets by number and by time', async () => {
    const call = await storePackets(
      pool,
      second('lossy').filter(({ sequence }) => ![10, 11, 30].includes(sequence)),
    )
    await declareFormat(pool, call, muLaw)
    const { grade, lost_ms, duration_ms, tracks } = await quality('lossy')
    assert.deepEqual([grade, lost_ms, duration_ms], ['D', 60, 1000])
    const [track] = tracks
    assert.deepEqual([track?.missing_packets, track?.missing_count], ['10,11,30', 3])
    assert.deepEqual(track?.gaps, [
      {
        start_ms: 180,
        duration_ms: 40,
        first_sequence: 10,
        last_sequence: 11,
        packets: 2,
        cause: 'missing',
      },
      {
        start_ms: 580,
        duration_ms: 20,
        first_sequence: 30,
        last_sequence: 30,
        packets: 1,
        cause: 'missing',
      },
    ])
  })

  test('counts as lost what a stream lost, and not what was never said', async () => {
    const call = await startStream(pool, 'silences', ['mixed'], muLaw)
    const packets = second('silences').map((packet) =>
      packet.sequence > 40 ? { ...packet, timestamp: packet.timestamp + 0.5 } : packet,
    )
    await storePackets(pool, packets)
    await pool.query(
      `SELECT record_silences($1, '{mixed,mixed,mixed}', '{20,30,51}', '{100,250,70}', '{clock,paused,overload}')`,
      [call],
    )
    const { lost_ms, duration_ms, tracks } = await quality('silences')
    assert.deepEqual([lost_ms, duration_ms], [170, 1000 + 100 + 250 + 500 + 70])
    assert.deepEqual(
      tracks[0]?.gaps.map((gap) => Object.values(gap)),
      [
        [380, 100, 20, 20, 0, 'clock'],
        [680, 250, 30, 30, 0, 'paused'],
        [1150, 500, 41, 41, 0, 'unsent'],
        [1850, 70, 51, 51, 0, 'overload'],
      ],
    )
  })

  test('tells packets that came too late from those that were only reordered', async () => {
    const packets = second('late')
    const [ninth, tenth, twentieth] = [packets[8], packets[9], packets[19]]
    assert.ok(ninth !== undefined && tenth !== undefined && twentieth !== undefined)
    const inOrder = packets.filter(({ sequence }) => ![9, 10, 20].includes(sequence))
    const call = await storePackets(pool, inOrder, 1)
    await storePackets(pool, [tenth])
    await storePackets(pool, [ninth])
    await storePackets(pool, [twentieth, twentieth])
    await declareFormat(pool, call, muLaw)
    // As if a packet had come every 10 ms; 10 came 190 ms after 11, 9 came 210 ms after it, and 20 much later.
    await pool.query(
      `UPDATE segments SET received_at = to_timestamp(1000) + CASE first_sequence
         WHEN 10 THEN 110 + 190 WHEN 9 THEN 110 + 210 WHEN 20 THEN 5000 ELSE first_sequence * 10
       END * interval '1 ms' WHERE call = $1`,
      [call],
    )
    const [track] = (await quality('late')).tracks
    assert.deepEqual(
      [track?.received, track?.duplicate, track?.reordered, track?.late, track?.gaps_total],
      [50, 1, 1, 2, 0],
    )
  })

  test('of packets that are no audio knows numbers and no times', async () => {
    await storePackets(
      pool,
      second('numbers').filter(({ sequence }) => sequence !== 4),
    )
    const { grade, lost_ms, duration_ms, tracks } = await quality('numbers')
    assert.deepEqual([grade, lost_ms, duration_ms], [null, null, null])
    const { encoding, rate, missing_ms, missing_packets, gaps } = tracks[0] ?? { gaps: [] }
    assert.deepEqual([encoding, rate, missing_ms, missing_packets], [null, null, null, '4'])
    assert.deepEqual(gaps, [
      {
        start_ms: null,
        duration_ms: null,
        first_sequence: 4,
        last_sequence: 4,
        packets: 1,
        cause: 'missing',
      },
    ])
  })

  test('lists the newest thousand gaps, and counts all', async () => {
    const [packet] = second('holes')
    assert.ok(packet !== undefined)
    const packets = Array.from({ length: 3_501 }, (_, index) => ({
      ...packet,
      sequence: index * 2 + 1,
    }))
    const call = await storePackets(pool, packets, 500)
    await declareFormat(pool, call, { ...muLaw, clock: 'arrival' })
    const { grade, tracks } = await quality('holes')
    assert.deepEqual([grade, tracks[0]?.gaps_total, tracks[0]?.gaps.length], ['F', 3_500, 1_000])
    assert.partialDeepStrictEqual(tracks[0]?.gaps.at(-1), { first_sequence: 7_000 })
    assert.equal(tracks[0]?.missing_count, 3_500)
  })

  test('of a call that nobody made is 404', async () => {
    assert.equal((await fetch(`${gateway.url}/v1/call/nobody/quality`)).status, 404)
  })
})

test('a grade is by the share of audio lost', () => {
  const grades = [0, 1, 1.01, 10, 10.01, 30, 30.01, 100, 100.01, 1000].map((lost) =>
    gradeOf(lost, 1000),
  )
  assert.deepEqual(grades, ['A', 'A', 'B', 'B', 'C', 'C', 'D', 'D', 'F', 'F'])
  assert.equal(gradeOf(0, 0), null)
})

test('the customer is on the inbound track unless the tracks are swapped', () => {
  assert.deepEqual(
    (['inbound', 'outbound', 'mixed'] as const).flatMap((track) => [
      roleOf(track, false),
      roleOf(track, true),
    ]),
    ['customer', 'agent', 'agent', 'customer', 'both', 'both'],
  )
})
