import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import fc from 'fast-check'
import { isLoss, type LaidPacket, type Silence } from '../../src/ledger/track-layout.ts'
import { arrival, lay, sender } from '../support/lay-out.ts'

/** Packets of 20 ms as a sender without faults makes them, numbered from 1. */
function perfect(count: number, from = 0): LaidPacket[] {
  return Array.from({ length: count }, (_, index) => ({
    sequence: index + 1,
    timestamp: from + index * 0.02,
    samples: 160,
  }))
}

function without(packets: readonly LaidPacket[], ...missing: number[]): LaidPacket[] {
  return packets.filter(({ sequence }) => !missing.includes(sequence))
}

const noGap = { packets: 0, cause: 'unsent' } as const

suite('packets', () => {
  test('follow each other sample for sample', () => {
    assert.deepEqual(lay(perfect(3)), { starts: [0, 160, 320], gaps: [], total: 480 })
  })

  test('may have any length', () => {
    const packets = [80, 480, 0, 1].map((samples, index) => ({
      sequence: index,
      timestamp: 5,
      samples,
    }))
    assert.deepEqual(lay(packets, arrival).starts, [0, 80, 560, 560])
  })

  test('are where they would be, had none been lost', () =>
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.integer({ min: 1, max: 200 }), { minLength: 1 }),
        fc.constantFrom(sender, arrival),
        fc.double({ min: 0, max: 1e9, noNaN: true }),
        (received, format, from) => {
          const packets = perfect(200, from).filter(({ sequence }) => received.includes(sequence))
          const expected = packets.map(({ sequence }) => (sequence - 1) * 160)
          assert.deepEqual(lay(packets, format).starts, expected)
        },
      ),
    ))

  test('are not moved by the jitter of their timestamps', () =>
    fc.assert(
      fc.property(fc.array(fc.double({ min: -0.019, max: 0.019, noNaN: true })), (jitter) => {
        const packets = perfect(jitter.length, 100).map((packet, index) => ({
          ...packet,
          timestamp: packet.timestamp + (jitter[index] ?? 0),
        }))
        assert.deepEqual(lay(packets).gaps, [])
      }),
    ))

  test('are not moved by the drift of a clock', () => {
    for (const drift of [0.9998, 1.0002]) {
      const packets = perfect(50_000).map((packet) => ({
        ...packet,
        timestamp: packet.timestamp * drift,
      }))
      assert.deepEqual(lay(packets).gaps, [])
    }
  })
})

suite('missing packets', () => {
  test('are a gap of as many packets of the usual length', () => {
    const packets = without(perfect(10), 1, 5, 6)
    packets.splice(0, 1, { sequence: 2, timestamp: 0.02, samples: 160 })
    const { gaps, total } = lay(packets, arrival)
    assert.deepEqual(gaps, [
      { start: 0, samples: 160, cause: 'missing', first_sequence: 1, last_sequence: 1, packets: 1 },
      {
        start: 640,
        samples: 320,
        cause: 'missing',
        first_sequence: 5,
        last_sequence: 6,
        packets: 2,
      },
    ])
    assert.equal(total, 1600)
  })

  test('are of the length of most packets, whatever the last one was', () => {
    const packets = perfect(9).map((packet) => ({ ...packet }))
    const odd = { sequence: 10, timestamp: 0, samples: 7 }
    const { gaps } = lay([...packets, odd, { ...odd, sequence: 12 }], arrival)
    assert.equal(gaps[0]?.samples, 160)
  })

  test('are as long as the sender’s clock says, where that says clearly otherwise', () => {
    const length = (timestamp: number) =>
      lay([...perfect(5), { sequence: 8, timestamp, samples: 160 }]).gaps[0]?.samples
    assert.equal(length(0.14), 320)
    assert.equal(length(0.14 + 0.039), 320)
    assert.equal(length(0.14 + 0.05), 720)
    assert.equal(length(60), (60 - 0.1) * 8000)
    assert.equal(length(0.14 - 0.039), 320)
    assert.equal(length(0.14 - 0.041), 0)
    const many = [...perfect(5), { sequence: 16, timestamp: 0.2, samples: 160 }]
    assert.equal(lay(many).gaps[0]?.samples, 800)
  })

  test('by the clock of arrival have the length of their numbers', () => {
    const late = { sequence: 8, timestamp: 60, samples: 160 }
    assert.equal(lay([...perfect(5), late], arrival).gaps[0]?.samples, 320)
  })
})

suite('a sender that sends no silence', () => {
  test('leaves silence that is no loss, as long as its clock says', () => {
    const packets = perfect(6).map((packet) =>
      packet.sequence > 3 ? { ...packet, timestamp: packet.timestamp + 1.5 } : packet,
    )
    const { gaps, starts } = lay(packets)
    const place = { start: 480, samples: 12_000, first_sequence: 4, last_sequence: 4 }
    assert.deepEqual(gaps, [{ ...place, ...noGap }])
    assert.deepEqual(starts.slice(3), [12_480, 12_640, 12_800])
    assert.equal(isLoss('unsent'), false)
  })

  test('is not suspected for 40 ms or less', () => {
    const at = (timestamp: number) =>
      lay([...perfect(3), { sequence: 4, timestamp, samples: 160 }]).gaps.length
    assert.deepEqual([at(0.06 + 0.039), at(0.06 + 0.041)], [0, 1])
  })

  test('is found out however little it leaves out at a time', () => {
    const packets = perfect(100).map((packet, index) => ({ ...packet, timestamp: index * 0.03 }))
    const { starts } = lay(packets)
    for (const [index, start] of starts.entries())
      assert.ok(Math.abs(start / 8000 - index * 0.03) < 0.042, `packet ${index + 1}`)
  })

  test('and whose clock goes back does not cut its audio', () => {
    const again = perfect(3).map((packet) => ({ ...packet, sequence: packet.sequence + 3 }))
    assert.deepEqual(lay([...perfect(3, 1e6), ...again]), {
      starts: [0, 160, 320, 480, 640, 800],
      gaps: [],
      total: 960,
    })
  })
})

suite('a silence', () => {
  const silence: Silence = { before_sequence: 4, milliseconds: 100, cause: 'reconnect' }

  test('is inserted in front of its packet, and the clock begins anew', () => {
    const packets = perfect(6).map((packet) =>
      packet.sequence > 3 ? { ...packet, timestamp: packet.timestamp + 777 } : packet,
    )
    const { gaps, starts } = lay(packets, sender, [silence])
    assert.deepEqual(gaps, [
      {
        start: 480,
        samples: 800,
        cause: 'reconnect',
        first_sequence: 4,
        last_sequence: 4,
        packets: 0,
      },
    ])
    assert.deepEqual(starts.slice(3), [1280, 1440, 1600])
  })

  test('stands beside missing packets', () => {
    const { gaps } = lay(without(perfect(6), 3, 4), sender, [silence])
    assert.deepEqual(
      gaps.map(({ cause, samples, packets }) => [cause, samples, packets]),
      [
        ['missing', 320, 2],
        ['reconnect', 800, 0],
      ],
    )
  })

  test('after the last packet lengthens the track', () => {
    const { total } = lay(perfect(3), arrival, [silence, { ...silence, cause: 'overload' }])
    assert.equal(total, 480 + 1600)
  })
})
