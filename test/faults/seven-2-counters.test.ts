// Fault 2: counters read, changed and written without a lock lost updates; duplicates were counted;
// the list of missing packets never shrank, or was wrong after a reordering.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Random, seededRandom } from '../../src/random.ts'
import { createDatabase } from '../support/database.ts'
import { startFleet } from '../support/fleet.ts'
import { completeCall, getCall } from '../support/gateway.ts'
import { assertInvariants } from '../support/invariants.ts'
import { createSender } from '../support/sender.ts'
import { until } from '../support/until.ts'

const packets = 5_000
/** These never leave the PBX. */
const lost = new Set([1, 2, 777, 2_500, 2_501, 2_502, 4_998])

/** One character for each packet, all different: so many fit into the mock's transcript. */
const syllable = (sequence: number) => String.fromCodePoint(0x4e00 + sequence)

test('7.2 the account of 5,000 packets, shuffled and sent repeatedly, is exact', async (t) => {
  const seed = 20_261
  t.diagnostic(`seed ${seed}`)
  const random = seededRandom(seed)
  await using database = await createDatabase()
  await using gateways = await startFleet(database.url, 2)
  using pbx = createSender(gateways.urls)
  const callId = 'shuffled'

  const sent = shuffle(repeat(random), 50, random).filter((sequence) => !lost.has(sequence))
  let next = 0
  async function line(number: number): Promise<void> {
    for (let place = next++; place < sent.length; place = next++) {
      const sequence = sent[place] ?? 0
      const url = gateways.at((place + number) % 2).url
      const { status } = await pbx.send(url, { callId, sequence, data: syllable(sequence) })
      assert.equal(status, 202)
    }
  }
  await Promise.all(Array.from({ length: 50 }, (_, number) => line(number)))

  const stored = packets - lost.size
  const duplicates = sent.length - stored
  t.diagnostic(`${sent.length} requests, ${duplicates} of them repeats`)
  assert.equal(pbx.history.filter(({ duplicate }) => duplicate).length, duplicates)
  const { body: call } = await getCall(gateways.at(0).url, callId)
  assert.equal(call.total_packets, stored)
  assert.equal(call.missing_packets, [...lost].join(','))
  const { rows } = await database.pool.query(
    'SELECT packets, duplicates, missing_of_track(tracks)::text AS missing FROM tracks',
  )
  assert.deepEqual(rows, [
    {
      packets: stored,
      duplicates,
      missing: '{[1,3),[777,778),[2500,2503),[4998,4999)}',
    },
  ])
  await assertInvariants(database.pool, pbx.history)

  await completeCall(gateways.at(1).url, callId)
  const analysed = await until('the call is archived', async () => {
    const { body } = await getCall(gateways.at(0).url, callId)
    return body.status === 'ARCHIVED' && body
  })
  const inOrder = Array.from({ length: packets }, (_, index) => index + 1)
    .filter((sequence) => !lost.has(sequence))
    .map(syllable)
  assert.equal(analysed.transcription, inOrder.join(' '))
  await assertInvariants(database.pool, pbx.history)
})

test('7.2 the list of missing packets shrinks as late ones arrive, anywhere', async () => {
  await using database = await createDatabase()
  await using gateways = await startFleet(database.url, 2)
  using pbx = createSender(gateways.urls)
  const steps: readonly (readonly [sequence: number, missing: string, total: number])[] = [
    [2, '1', 1],
    [5, '1,3,4', 2],
    [1, '3,4', 3],
    [1, '3,4', 3],
    [4, '3', 4],
    [0, '3', 5],
    [20, '3,6-19', 6],
    [12, '3,6,7,8,9,10,11,13,14,15,16,17,18,19', 7],
    [3, '6,7,8,9,10,11,13,14,15,16,17,18,19', 8],
  ]
  for (const [place, [sequence, missing, total]] of steps.entries()) {
    await pbx.send(gateways.at(place % 2).url, { callId: 'late', sequence, data: `${sequence}` })
    const { body } = await getCall(gateways.at((place + 1) % 2).url, 'late')
    assert.deepEqual(
      { missing: body.missing_packets, total: body.total_packets },
      { missing, total },
    )
  }
  await assertInvariants(database.pool, pbx.history)
})

/** Every sequence from 1, each one to three times. */
function repeat(random: Random): number[] {
  return Array.from({ length: packets }, (_, index) => index + 1).flatMap((sequence) =>
    Array.from({ length: 1 + Math.floor(random() * 3) }, () => sequence),
  )
}

/** Shuffles so that nothing moves ahead by more than a window. */
function shuffle(sequences: readonly number[], window: number, random: Random): number[] {
  const waiting = sequences.slice(0, window)
  const shuffled: number[] = []
  for (const sequence of [...sequences.slice(window), ...Array(window).fill(undefined)]) {
    shuffled.push(...waiting.splice(Math.floor(random() * waiting.length), 1))
    if (sequence !== undefined) waiting.push(sequence)
  }
  return shuffled
}
