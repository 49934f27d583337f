import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import fc from 'fast-check'
import { type LaidPacket, type Silence, TrackLayout } from '../../src/ledger/track-layout.ts'
import { arrival, lay, sender } from '../support/lay-out.ts'

const anyTrack = fc
  .array(
    fc.record({
      step: fc.oneof(fc.constant(1), fc.integer({ min: 1, max: 2 ** 40 })),
      timestamp: fc.double({ noNaN: true, noDefaultInfinity: true }),
      samples: fc.constantFrom(0, 1, 160, 320, 5000),
      silence: fc.option(fc.double({ min: 0.001, max: 1e12, noNaN: true }), { freq: 5 }),
    }),
  )
  .map((steps) => {
    let sequence = 0
    const packets: LaidPacket[] = []
    const silences: Silence[] = []
    for (const { step, timestamp, samples, silence } of steps) {
      sequence += step
      packets.push({ sequence, timestamp, samples })
      if (silence !== null)
        silences.push({ before_sequence: sequence, milliseconds: silence, cause: 'clock' })
    }
    return { packets, silences }
  })

suite('whatever comes', () => {
  test('no two packets overlap, and gaps fill exactly what is between them', () =>
    fc.assert(
      fc.property(anyTrack, fc.constantFrom(sender, arrival), ({ packets, silences }, format) => {
        const { starts, gaps, total } = lay(packets, format, silences)
        const pieces = [
          ...packets.map(({ samples }, index) => ({ start: starts[index] ?? -1, samples })),
          ...gaps,
        ]
          .filter(({ samples }) => samples > 0)
          .toSorted((one, other) => one.start - other.start)
        let end = 0
        for (const { start, samples } of pieces) {
          assert.equal(start, end)
          end += samples
        }
        assert.equal(end, total)
        assert.ok(Number.isFinite(total))
      }),
    ))

  test('a layout goes on from the state of another as that one would', () =>
    fc.assert(
      fc.property(anyTrack, fc.nat(), ({ packets, silences }, seed) => {
        const cut = packets.length === 0 ? 0 : seed % packets.length
        const { starts } = lay(packets, sender, silences)
        const before = new TrackLayout(sender, silences)
        for (const packet of packets.slice(0, cut)) before.place(packet)
        const after = new TrackLayout(sender, silences, () => {}, before.state)
        for (const packet of packets.slice(0, cut)) before.place({ ...packet, sequence: 2 ** 50 })
        assert.deepEqual(
          packets.slice(cut).map((packet) => after.place(packet)),
          starts.slice(cut),
        )
      }),
    ))
})
