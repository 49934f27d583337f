// The ends of calls on a packet stream: completions, and packets that come too late.
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { completeCall, getCall, sendPacket } from '../support/gateway.ts'
import { frameOf } from '../support/packet-frames.ts'
import { connectPackets, packetMessage } from '../support/packet-socket.ts'
import { sharedGateway } from '../support/shared-gateway.ts'
import { storedPackets } from '../support/stored-packets.ts'
import { until } from '../support/until.ts'

const { gateway, database } = await sharedGateway()
const { url } = gateway
// A call of this gateway can still take packets after its completion.
const { gateway: patient } = await sharedGateway({ COMPLETION_GRACE_SECONDS: '3600' })

const range = (first: number, last: number) =>
  Array.from({ length: last - first + 1 }, (_, index) => first + index)

async function seal(callId: string): Promise<void> {
  await completeCall(url, callId)
  await until('the result', async () => (await getCall(url, callId)).body.transcription)
}

suite('a packet of a call whose analysis has begun', () => {
  test('is refused, all of a commit in one error with their number, and then acknowledged', async () => {
    using client = await connectPackets(url, 'sealed')
    client.send(packetMessage(1))
    await client.hears({ type: 'ack', through: 1 })
    await seal('sealed')
    for (const sequence of range(2, 6)) client.send(packetMessage(sequence))
    await client.hears({ type: 'ack', through: 6, packets: 6 })
    const errors = client.heard.filter(({ type }) => type === 'error')
    assert.equal(
      errors.reduce((sum, { packets }) => sum + Number(packets), 0),
      5,
    )
    const { detail, ...first } = errors[0] ?? {}
    assert.match(String(detail), /^The analysis of call sealed has begun/)
    assert.deepEqual(first, {
      type: 'error',
      code: 'call_sealed',
      call_id: 'sealed',
      track: 'mixed',
      sequence: 2,
      packets: errors[0]?.packets,
    })
    assert.equal(client.heard.at(-1)?.type, 'ack')
    assert.equal((await storedPackets(database.pool, 'sealed')).length, 1)
  })

  test('is acknowledged when it is a repeat: its sender did not hear', async () => {
    await sendPacket(url, 'repeat', 1)
    await seal('repeat')
    using client = await connectPackets(url, 'repeat')
    client.send(packetMessage(1))
    const ack = await client.hears({ type: 'ack', through: 1 })
    assert.deepEqual([ack.duplicates, client.heard.length], [1, 1])
  })
})

suite('complete', () => {
  test('is answered when all that was sent before is settled', async () => {
    using client = await connectPackets(patient.url, 'complete')
    for (const sequence of range(1, 300)) client.send(packetMessage(sequence))
    for (const sequence of range(1, 300)) client.send(frameOf({ sequence, track: 1 }))
    client.send({ type: 'complete' })
    const answer = await client.hears({ type: 'completed' })
    assert.deepEqual(answer, { type: 'completed', call_id: 'complete', status: 'COMPLETED' })
    for (const track of ['mixed', 'inbound'])
      assert.deepEqual(client.settled('complete', track), { packets: 300, through: 300 })
    const { body } = await getCall(patient.url, 'complete')
    assert.deepEqual([body.total_packets, body.status], [600, 'COMPLETED'])
  })

  test('is of the call it names, and others on the socket go on', async () => {
    using client = await connectPackets(url, 'stays')
    client.send(packetMessage(1))
    client.send(packetMessage(1, { call_id: 'ends' }))
    client.send({ type: 'complete', call_id: 'ends' })
    await client.hears({ type: 'completed', call_id: 'ends' })
    client.send(packetMessage(2))
    await client.hears({ type: 'ack', call_id: 'stays', through: 2 })
    assert.equal((await getCall(url, 'stays')).body.status, 'IN_PROGRESS')
  })

  test('of a call that nobody knows is an error that names it, and the socket stays open', async () => {
    using client = await connectPackets(url, 'unknown')
    client.send({ type: 'complete' })
    const error = await client.hears({ type: 'error' })
    assert.deepEqual(error, {
      type: 'error',
      code: 'call_not_found',
      detail: 'Call unknown not found',
      call_id: 'unknown',
    })
    client.send(packetMessage(1))
    await client.hears({ type: 'ack', through: 1 })
  })

  test('is answered each time it is said, also while packets of the call go on', async () => {
    using client = await connectPackets(patient.url, 'again')
    let sequence = 0
    const speaking = setInterval(() => {
      sequence += 1
      client.send(packetMessage(sequence))
    }, 2)
    await client.hears({ type: 'ack' })
    for (const answers of range(1, 5)) {
      client.send({ type: 'complete' })
      await until(
        'the answer',
        () => client.heard.filter(({ type }) => type === 'completed').length === answers,
      )
    }
    clearInterval(speaking)
    for (const _ of range(1, 3)) client.send({ type: 'complete' })
    await until(
      'three more',
      () => client.heard.filter(({ type }) => type === 'completed').length === 8,
    )
    assert.equal(client.settled('again').through, sequence)
    assert.equal((await getCall(patient.url, 'again')).body.total_packets, sequence)
  })
})
