// Packets as entries of the journal: each entry fits on a page, and none is left out.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { journalParameters } from '../../src/ledger/journal-entry.ts'
import { groupOf, packetOf } from '../support/calls.ts'

const numbers = (list: string): number[] => JSON.parse(`[${list.slice(1, -1)}]`)

test('entries follow one another without a gap, and each has as much as fits on a page', () => {
  fc.assert(
    fc.property(
      fc.array(fc.array(fc.integer({ min: 1, max: 12_000 }), { minLength: 1 }), { minLength: 1 }),
      (sizes) => {
        const groups = sizes.map((ofGroup, call) => {
          const packets = ofGroup.map((size, index) =>
            packetOf(`${call}`, index, { payload: Buffer.alloc(size) }),
          )
          return [call, groupOf(packets)] as const
        })
        const { parameters, bytes } = journalParameters(groups)
        const [firsts, lasts] = [numbers(parameters[1]), numbers(parameters[2])]
        const all = sizes.flat()
        assert.equal(
          bytes,
          all.reduce((sum, size) => sum + size, 0),
        )
        assert.deepEqual([1, ...lasts.map((last) => last + 1)], [...firsts, all.length + 1])
        const weights = firsts.map((first, index) =>
          all.slice(first - 1, lasts[index]).reduce((sum, size) => sum + size + 34, 0),
        )
        for (const [index, weight] of weights.entries()) {
          assert.ok(weight <= 7_800 || firsts[index] === lasts[index])
          const next = all[lasts[index] ?? 0]
          if (next !== undefined) assert.ok(weight + next + 34 > 7_800)
        }
      },
    ),
  )
})
