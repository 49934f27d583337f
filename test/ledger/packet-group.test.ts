import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import fc from 'fast-check'
import type { PacketRun } from '../../src/ledger/packet.ts'
import { eachOutcome } from '../../src/ledger/packet-group.ts'
import { contentOf, groupOf, packetOf, packetsOf, runsOf } from '../support/calls.ts'

/** A run of so many packets of one size. */
function runOfMany(packets: number): PacketRun {
  const payload = (nth: number) => Buffer.from([nth, nth])
  const [run] = runsOf(
    Array.from({ length: packets }, (_, nth) =>
      packetOf('call', 5 + nth, { payload: payload(nth) }),
    ),
  )
  assert.equal(run?.timestamps.length, packets)
  return run
}

/** What is told of a run: parts, each with its outcome. */
function told(run: PacketRun, outcomes: readonly string[]) {
  const parts: { readonly part: PacketRun; readonly outcome: string | undefined }[] = []
  eachOutcome(
    run,
    (nth) => outcomes[nth],
    (part, outcome) => parts.push({ part, outcome }),
  )
  return parts
}

/** The packets of a run, payloads and all. */
function contentsOf(run: PacketRun) {
  const { callId, track, encoding, timestamps } = run
  const group = { callId, track, encoding, runs: [run], packets: timestamps.length }
  return packetsOf(group).map(contentOf)
}

suite('a run', () => {
  test('has the packets that went into it', () => {
    const packets = [1, 2, 3, 7, 8].map((sequence) => packetOf('call', sequence))
    assert.deepEqual(packetsOf(groupOf(packets)).map(contentOf), packets.map(contentOf))
    assert.deepEqual(
      runsOf(packets).map(({ sequence, timestamps }) => [sequence, timestamps.length]),
      [
        [1, 3],
        [7, 2],
      ],
    )
  })

  test('is told of as a whole where all of it has one outcome', () => {
    const run = runOfMany(3)
    const [only, ...others] = told(run, ['stored', 'stored', 'stored'])
    assert.equal(only?.part, run)
    assert.deepEqual([only?.outcome, others], ['stored', []])
  })

  test('is told of in parts where outcomes differ: every packet once, in order, with its own', () => {
    const anyOutcomes = fc.array(fc.constantFrom('stored', 'late', 'sealed'), {
      minLength: 1,
      maxLength: 12,
    })
    fc.assert(
      fc.property(anyOutcomes, (outcomes) => {
        const run = runOfMany(outcomes.length)
        const parts = told(run, outcomes)
        assert.deepEqual(
          parts.flatMap(({ part }) => contentsOf(part)),
          contentsOf(run),
        )
        assert.deepEqual(
          parts.flatMap(({ part, outcome }) => part.timestamps.map(() => outcome)),
          outcomes,
        )
        for (const [index, { outcome }] of parts.entries())
          assert.notEqual(outcome, parts[index + 1]?.outcome)
      }),
      { numRuns: 300 },
    )
  })
})
