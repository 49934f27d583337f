// The window of a stream, with a ledger in the hands of the test: it settles packets when the test says so.
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import fc from 'fast-check'
import { GatewayError } from '../../src/errors.ts'
import { PacketStream } from '../../src/intake/packet-stream.ts'
import type { Packet, PacketReceipt, PacketSender } from '../../src/ledger/packet.ts'
import { eachPacket, runOf } from '../../src/ledger/packet-group.ts'
import { packetOf, runsOf } from '../support/calls.ts'

const receipt: PacketReceipt = { duplicate: false, late: false, opensGap: false, missing: '' }
const window = { packets: 4_096, bytes: 2 ** 20 }

/** A stream whose packets are settled by hand, in order. */
function openByHand({ isFull = () => false }: { readonly isFull?: () => boolean } = {}) {
  const waiting: { packet: Packet; sender: PacketSender }[] = []
  const told: number[] = []
  let rooms = 0
  const stream = new PacketStream({
    ledger: {
      append: (packet, sender) => {
        waiting.push({ packet, sender })
        return !isFull()
      },
    },
    onSettled: (run) => eachPacket([run], ({ sequence }) => told.push(sequence)),
    onRoom: () => {
      rooms += 1
      assert.equal(stream.isPaused, false)
    },
  })
  let sequence = 0
  return {
    stream,
    told,
    rooms: () => rooms,
    append: (count: number, bytes = 1) => {
      for (let index = 0; index < count; index += 1) {
        sequence += 1
        stream.append(packetOf('call', sequence, { payload: Buffer.alloc(bytes) }))
      }
    },
    settle: (count: number, outcome: PacketReceipt | GatewayError = receipt) => {
      const due = waiting.splice(0, count)
      for (const run of runsOf(due.map(({ packet }) => packet)))
        due[0]?.sender.settled(run, outcome)
    },
  }
}

suite('a stream', () => {
  test('pauses at 4,096 packets that are not settled, and goes on at half of them', () => {
    const { stream, append, settle, rooms } = openByHand()
    append(window.packets - 1)
    assert.equal(stream.isPaused, false)
    append(1)
    assert.equal(stream.isPaused, true)
    settle(window.packets / 2)
    assert.deepEqual([stream.isPaused, rooms()], [true, 0])
    settle(1)
    assert.deepEqual([stream.isPaused, rooms()], [false, 1])
    settle(window.packets)
    assert.deepEqual([stream.unsettled, rooms()], [0, 1])
  })

  test('pauses at 1 MiB of media', () => {
    const { stream, append, settle } = openByHand()
    append(15, window.bytes / 16)
    assert.equal(stream.isPaused, false)
    append(1, window.bytes / 16)
    assert.equal(stream.isPaused, true)
    settle(9)
    assert.equal(stream.isPaused, false)
  })

  test('pauses when the ledger is full, even for one packet, until that is settled', () => {
    const { stream, append, settle, rooms } = openByHand({ isFull: () => true })
    append(1)
    assert.equal(stream.isPaused, true)
    settle(1)
    assert.deepEqual([stream.isPaused, rooms()], [false, 1])
  })

  test('does not pause for packets that were refused at once', () => {
    const refusal = new GatewayError('shutting_down', 'no')
    const settled: unknown[] = []
    const stream = new PacketStream({
      ledger: {
        append: (packet, sender) => {
          sender.settled(runOf(packet), refusal)
          return false
        },
      },
      onSettled: (_packets, outcome) => settled.push(outcome),
      onRoom: () => {},
    })
    stream.append(packetOf('call', 1))
    assert.deepEqual([stream.isPaused, stream.unsettled, settled], [false, 0, [refusal]])
  })

  test('passes on what became of each packet, once, in order', () => {
    const { append, settle, told } = openByHand()
    append(5)
    settle(2)
    settle(1, new GatewayError('call_sealed', 'no'))
    settle(9)
    assert.deepEqual(told, [1, 2, 3, 4, 5])
  })

  test('never stays paused with nothing on its way, and never exceeds its window unpaused', () => {
    const step = fc.tuple(fc.boolean(), fc.integer({ min: 1, max: 3_000 }), fc.nat({ max: 700 }))
    fc.assert(
      fc.property(fc.array(step, { maxLength: 12 }), fc.boolean(), (steps, isFull) => {
        const { stream, append, settle } = openByHand({ isFull: () => isFull })
        for (const [isAppend, count, bytes] of steps) {
          if (isAppend) append(count, bytes)
          else settle(count)
          if (stream.unsettled === 0) assert.equal(stream.isPaused, false)
          if (!stream.isPaused) assert.ok(stream.unsettled < window.packets)
        }
        settle(Number.POSITIVE_INFINITY)
        assert.deepEqual([stream.isPaused, stream.unsettled], [false, 0])
      }),
      { numRuns: 100 },
    )
  })
})

suite('the end of a stream', () => {
  test('is there at once when nothing is on its way', async () => {
    const { stream } = openByHand()
    assert.equal(stream.isEnding, false)
    const ended = stream.allSettled()
    assert.equal(stream.isEnding, true)
    await ended
  })

  test('comes after the last packet was told of, and after what is said of it in microtasks', async () => {
    const { stream, append, settle } = openByHand()
    append(3)
    const said: string[] = []
    const ended = stream.allSettled().then(() => said.push('ended'))
    settle(2)
    await new Promise(setImmediate)
    assert.equal(said.length, 0)
    settle(1)
    queueMicrotask(() => queueMicrotask(() => said.push('told')))
    await ended
    assert.deepEqual(said, ['told', 'ended'])
  })
})
