import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import type { Queryable } from '../../src/database/statement.ts'
import { createMeasurements } from '../../src/recording/measurements.ts'
import { parseTrackFormat } from '../../src/recording/track-format.ts'
import { createDatabase } from '../support/database.ts'
import { declareFormat, muLaw, packetsOf, storePackets } from '../support/recorded-call.ts'

const stack = new AsyncDisposableStack()
after(() => stack.disposeAsync())
const { pool } = stack.use(await createDatabase())

let reads = 0
const counting: Queryable = {
  query: ((config: { name: string; text: string }) => {
    if (config.name === 'read_recorded_segments') reads += 1
    return pool.query(config)
  }) as Queryable['query'],
}

test('a call is measured once, until something of it changes', async () => {
  const measure = createMeasurements(counting)
  const packets = packetsOf('once', 'mixed', new Uint8Array(1_600))
  const call = await storePackets(pool, packets.slice(0, 9))
  await declareFormat(pool, call, muLaw)
  const [first, again] = [await measure('once'), await measure('once')]
  assert.equal(reads, 1)
  assert.equal(again.state, first.state)
  assert.equal(again.duration, 0.18)

  await storePackets(pool, packets.slice(0, 9))
  const repeated = await measure('once')
  assert.equal(reads, 1)
  assert.deepEqual([repeated.state, repeated.tracks[0]?.duplicates], [first.state, 9])

  await storePackets(pool, packets)
  const grown = await measure('once')
  assert.equal(reads, 2)
  assert.notEqual(grown.state, first.state)
  assert.equal(grown.duration, 0.2)
})

test('only the last calls are remembered', async () => {
  const measure = createMeasurements(counting)
  for (let index = 0; index < 33; index += 1)
    await storePackets(pool, packetsOf(`call-${index}`, 'mixed', new Uint8Array(160)))
  const before = reads
  for (let index = 0; index < 33; index += 1) await measure(`call-${index}`)
  await measure('call-32')
  assert.equal(reads - before, 33)
  await measure('call-0')
  assert.equal(reads - before, 34)
})

test('a call that nobody made cannot be measured', async () =>
  assert.rejects(createMeasurements(pool)('nobody'), { code: 'call_not_found' }))

test('a track has a format when encoding and rate are known', () => {
  const parse = (encoding: unknown, rate: unknown, clock: unknown = 'arrival') =>
    parseTrackFormat({ encoding, rate, clock })
  assert.deepEqual(parse('pcmu', 8000), { encoding: 'PCMU', rate: 8000, clock: 'arrival' })
  assert.deepEqual(parse('L16', 44_100, 'sender')?.clock, 'sender')
  assert.deepEqual(parse('G722', 8000)?.rate, 16_000)
  assert.deepEqual(parse('OPUS', 44_100)?.rate, 48_000)
  assert.deepEqual(parse('OPUS', 24_000)?.rate, 24_000)
  for (const value of [null, undefined, 'PCMU', [], {}])
    assert.equal(parseTrackFormat(value), undefined)
  for (const rate of [0, -1, 999, 1e9, 8000.5, '8000', null])
    assert.equal(parse('PCMU', rate), undefined)
  assert.equal(parse(5, 8000), undefined)
})
