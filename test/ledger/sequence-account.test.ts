import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { emptyAccount, SequenceAccount } from '../../src/ledger/sequence-account.ts'
import { SequenceRanges } from '../../src/ledger/sequence-ranges.ts'
import { NaiveTrack } from '../support/naive-track.ts'

const highest = Number.MAX_SAFE_INTEGER

/** Arrivals, and what is missing after the last of them. */
const accounts: readonly (readonly [name: string, arrivals: number[], missing: string])[] = [
  ['a call that counts from 0 misses nothing at 0', [0], ''],
  ['a call that counts from 1 misses nothing at 1', [1], ''],
  ['0, 4: base 0', [0, 4], '1,2,3'],
  ['1, 2: base 1, 0 is not missing', [1, 2], ''],
  ['0, 1: base 0', [0, 1], ''],
  ['2 first: 1 is missing', [2], '1'],
  ['2 first, then 0: 1 is still missing, and 0 is not', [2, 0], '1'],
  ['2 first, then 1: nothing is missing', [2, 1], ''],
  ['2, 0, 1: nothing is missing', [2, 0, 1], ''],
  ['1, 2, then 0: nothing is missing', [1, 2, 0], ''],
  ['a late packet fills its gap only', [1, 5, 3], '2,4'],
  ['a repeat changes nothing', [1, 4, 4, 1], '2,3'],
  ['ten missing packets are listed', [1, 12], '2,3,4,5,6,7,8,9,10,11'],
  ['eleven missing packets are a range', [1, 13], '2-12'],
  ['a late packet splits a range', [1, 1_000_000, 500], '2-499,501-999999'],
  ['the highest sequence there is', [1, highest], '2-9007199254740990'],
  ['the highest sequence first', [highest], '1-9007199254740990'],
  ['the highest sequence, then 0', [highest, 0], '1-9007199254740990'],
]

for (const [name, arrivals, missing] of accounts)
  test(name, () => {
    const account = new SequenceAccount(emptyAccount())
    for (const sequence of arrivals) account.receive(sequence)
    assert.equal(account.missing(), missing)
  })

const usual = { duplicate: false, late: false, opensGap: false }
const opening = { ...usual, opensGap: true }
const late = { ...usual, late: true }
const repeated = { ...usual, duplicate: true }

test('every packet is told what it is, in the order of arrival', () => {
  const account = new SequenceAccount(emptyAccount())
  const told = [2, 3, 0, 3, 1, 7, 5, 5].map((sequence) => account.receive(sequence))
  assert.deepEqual(told, [opening, usual, late, repeated, late, opening, late, repeated])
})

test('the first packet opens a gap only above 1', () => {
  const first = (sequence: number) => new SequenceAccount(emptyAccount()).receive(sequence)
  assert.deepEqual([0, 1, 2, highest].map(first), [usual, usual, opening, opening])
})

test('an account goes on from what the database had, and lists nothing below the horizon', () => {
  const account = new SequenceAccount({
    received: SequenceRanges.parse('{[4,5),[100,103),[105,106)}'),
    hasZero: false,
    horizon: 100,
  })
  assert.equal(account.missing(), '103,104')
  assert.deepEqual(account.receive(4), repeated)
  assert.deepEqual(account.receive(6), late)
  assert.deepEqual(account.receive(103), late)
  assert.deepEqual(account.receive(107), opening)
  assert.equal(account.missing(), '104,106')
})

test('a jump to 2^53 - 1 and back costs a range each, not a number each', () => {
  const account = new SequenceAccount(emptyAccount())
  for (let step = 0; step < 10_000; step += 1) {
    account.receive(step * 1_000)
    account.receive(highest - step * 1_000)
  }
  assert.equal(account.isMissingMuch, true)
  assert.equal(account.missing().split(',').length, 100)
})

const sequence = fc.oneof(
  { weight: 10, arbitrary: fc.nat(30) },
  { weight: 2, arbitrary: fc.nat(300) },
  { weight: 1, arbitrary: fc.integer({ min: highest - 3, max: highest }) },
)

test('tells every packet what a set of numbers would', () => {
  fc.assert(
    fc.property(fc.array(sequence, { maxLength: 60 }), (arrivals) => {
      const account = new SequenceAccount(emptyAccount())
      const naive = new NaiveTrack()
      for (const number of arrivals) {
        assert.equal(account.has(number), naive.received.has(number))
        const verdict = account.receive(number)
        assert.deepEqual({ ...verdict, missing: account.missing() }, naive.receive(number))
      }
    }),
    { numRuns: 2_000 },
  )
})

test('tells the same when nobody asks in between, and when it is written down in between', () => {
  const batches = fc.array(fc.array(sequence, { maxLength: 12 }), { maxLength: 6 })
  fc.assert(
    fc.property(batches, (arrivals) => {
      const naive = new NaiveTrack()
      let prior = emptyAccount()
      for (const batch of arrivals) {
        const account = new SequenceAccount(prior)
        for (const number of batch) {
          const { missing: _, ...expected } = naive.receive(number)
          assert.deepEqual(account.receive(number), expected)
        }
        assert.equal(account.missing(), naive.missing())
        prior = {
          received: SequenceRanges.parse(prior.received.toString()),
          hasZero: naive.received.has(0),
          horizon: 0,
        }
      }
    }),
    { numRuns: 1_000 },
  )
})
