// What is said on a packet stream, as docs/streams.md has it: packets, acks, tracks, channels.
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { getCall } from '../support/gateway.ts'
import { frameOf } from '../support/packet-frames.ts'
import { connectPackets, packetMessage } from '../support/packet-socket.ts'
import { sharedGateway } from '../support/shared-gateway.ts'
import { storedPackets } from '../support/stored-packets.ts'
import { until } from '../support/until.ts'

const { gateway, database } = await sharedGateway()
const { url } = gateway

const range = (first: number, last: number) =>
  Array.from({ length: last - first + 1 }, (_, index) => first + index)

async function dataOf(callId: string): Promise<[string, number, string][]> {
  const stored = await storedPackets(database.pool, callId)
  return stored.map(({ track, sequence, data }) => [track, sequence, String(data)])
}

suite('an ack', () => {
  test('has exactly the fields of the documentation', async () => {
    using client = await connectPackets(url, 'fields')
    client.send(packetMessage(1))
    await client.hears({ type: 'ack' })
    assert.deepEqual(client.heard, [
      {
        type: 'ack',
        call_id: 'fields',
        track: 'mixed',
        through: 1,
        packets: 1,
        duplicates: 0,
        late: 0,
        missing_packets: '',
      },
    ])
  })

  test('comes after the commit: at that moment the packets are in the database', async () => {
    const checks: Promise<void>[] = []
    using client = await connectPackets(url, 'commit', ({ packets }) =>
      checks.push(
        (async () => {
          const stored = await storedPackets(database.pool, 'commit')
          assert.ok(stored.length >= Number(packets), `${stored.length} of ${packets}`)
        })(),
      ),
    )
    for (const sequence of range(1, 500)) {
      client.send(sequence <= 250 ? packetMessage(sequence) : frameOf({ sequence }))
      if (sequence % 50 === 0) await client.hears({ type: 'ack', through: sequence })
    }
    await Promise.all(checks)
    assert.ok(checks.length >= 10)
  })

  test('counts all packets since the socket opened, duplicates and late ones since the last', async () => {
    using client = await connectPackets(url, 'counts')
    const rounds: readonly (readonly [sent: number[], packets: number, told: object])[] = [
      [[1, 2, 5], 3, { duplicates: 0, late: 0, missing: '3,4' }],
      [[5, 5, 3], 6, { duplicates: 2, late: 1, missing: '4' }],
      [[6, 4], 8, { duplicates: 0, late: 1, missing: '' }],
      [[7], 9, { duplicates: 0, late: 0, missing: '' }],
    ]
    for (const [sent, packets, told] of rounds) {
      const before = client.heard.length
      for (const sequence of sent) client.send(packetMessage(sequence))
      await client.hears({ type: 'ack', through: sent.at(-1), packets })
      const acks = client.heard.slice(before)
      const sum = (name: string) => acks.reduce((total, ack) => total + Number(ack[name]), 0)
      const missing = acks.at(-1)?.missing_packets
      assert.deepEqual({ duplicates: sum('duplicates'), late: sum('late'), missing }, told)
    }
    using other = await connectPackets(url, 'counts')
    other.send(packetMessage(8))
    await other.hears({ type: 'ack', through: 8, packets: 1 })
  })
})

suite('a packet', () => {
  test('is stored as text or as raw media, as it came', async () => {
    using client = await connectPackets(url, 'forms')
    const media = Buffer.from([0, 255, 128, 10, 0])
    client.send(packetMessage(1, { data: 'base64==' }))
    client.send(frameOf({ sequence: 2, timestamp: 0.25, media }))
    client.send(packetMessage(3, { type: 'packet' }))
    await client.hears({ type: 'ack', through: 3, packets: 3 })
    const stored = await storedPackets(database.pool, 'forms')
    assert.deepEqual(
      stored.map(({ sequence, timestamp, data }) => [sequence, timestamp, data.toString('latin1')]),
      [
        [1, 2, 'base64=='],
        [2, 0.25, media.toString('latin1')],
        [3, 4, 'packet 3'],
      ],
    )
    const { rows } = await database.pool.query<{ encoding: string; packets: number }>(
      `SELECT encoding::text, sum(cardinality(timestamps))::int AS packets FROM segments
       WHERE call = (SELECT id FROM calls WHERE call_id = 'forms') GROUP BY encoding ORDER BY 1`,
    )
    assert.deepEqual(rows, [
      { encoding: 'binary', packets: 1 },
      { encoding: 'text', packets: 2 },
    ])
  })

  test('has the track it names, else that of the path; each track is acknowledged', async () => {
    using client = await connectPackets(url, 'tracks?track=outbound')
    client.send(packetMessage(1))
    client.send(packetMessage(1, { track: 'inbound' }))
    for (const track of [0, 1, 2]) client.send(frameOf({ sequence: 2, track }))
    await client.hears({ type: 'ack', track: 'mixed', through: 2, packets: 1 })
    for (const track of ['inbound', 'outbound'])
      await client.hears({ type: 'ack', track, through: 2, packets: 2 })
    assert.deepEqual(
      (await dataOf('tracks')).map(([track, sequence]) => `${track} ${sequence}`).sort(),
      ['inbound 1', 'inbound 2', 'mixed 2', 'outbound 1', 'outbound 2'],
    )
  })

  test('of any of many calls may come on one socket, as text or on a channel', async () => {
    using client = await connectPackets(url, 'many-0')
    const calls = range(0, 99)
    for (const call of calls.slice(1))
      client.send({ type: 'open', channel: call === 99 ? 65_535 : call, call_id: `many-${call}` })
    for (const sequence of range(1, 10))
      for (const call of calls) {
        const channel = call === 99 ? 65_535 : call
        if (sequence % 2 === 0)
          client.send(frameOf({ sequence, channel, media: Buffer.from(`${call}`) }))
        else client.send(packetMessage(sequence, { call_id: `many-${call}`, data: `${call}` }))
      }
    for (const call of calls)
      await client.hears({ type: 'ack', call_id: `many-${call}`, through: 10, packets: 10 })
    for (const call of calls)
      assert.deepEqual(
        await dataOf(`many-${call}`),
        range(1, 10).map((sequence) => ['mixed', sequence, `${call}`]),
      )
  })

  test('belongs to the call for which its channel was opened last', async () => {
    using client = await connectPackets(url, 'channels')
    for (const call of ['before', 'after']) {
      client.send({ type: 'open', channel: 7, call_id: call })
      client.send(frameOf({ sequence: 1, channel: 7, media: Buffer.from(call) }))
    }
    for (const call of ['before', 'after']) {
      await client.hears({ type: 'ack', call_id: call, packets: 1 })
      assert.deepEqual(await dataOf(call), [['mixed', 1, call]])
    }
  })
})

test('closing the socket completes nothing, and what arrived before is stored', async () => {
  const client = await connectPackets(url, 'closed')
  for (const sequence of range(1, 200)) client.send(packetMessage(sequence))
  client.socket.close()
  await client.closed
  await until('all is stored', async () => (await dataOf('closed')).length === 200)
  assert.equal((await getCall(url, 'closed')).body.status, 'IN_PROGRESS')
})
