import assert from 'node:assert/strict'
import { test } from 'node:test'
import { qualityDifferences, transcriptDifferences, truthOf } from '../../src/simulator/quality.ts'

const sent = { track: 'inbound', sequences: [2, 3, 6, 5, 5, 9] } as const

test('by numbers: what is lost below the highest is missing', () => {
  assert.deepEqual(truthOf(sent, 'numbers', 10), {
    track: 'inbound',
    sent: 5,
    duplicates: 1,
    missing: 4,
    gaps: 3,
  })
})

test('by the clock: only what is lost between the first and the last', () => {
  const { missing, gaps } = truthOf(sent, 'clock', 10)
  assert.deepEqual({ missing, gaps }, { missing: 3, gaps: 2 })
})

test('by the position in the audio: all that is lost', () => {
  const { missing, gaps } = truthOf(sent, 'reported', 10)
  assert.deepEqual({ missing, gaps }, { missing: 5, gaps: 4 })
  assert.equal(truthOf({ track: 'mixed', sequences: [] }, 'reported', 10).missing, 10)
})

const truth = { track: 'inbound', sent: 5, duplicates: 1, missing: 4, gaps: 2 }
const honest = { track: 'inbound', received: 5, duplicate: 1, missing_count: 4, missing_ms: 80 }

test('an honest account has no differences', () => {
  for (const lossAccount of ['numbers', 'reported', 'clock'] as const)
    assert.deepEqual(qualityDifferences([truth], lossAccount, [honest]), [])
})

test('with numbers, every figure is exact', () => {
  const differ = (change: object) =>
    qualityDifferences([truth], 'numbers', [{ ...honest, ...change }])
  assert.deepEqual(differ({ received: 4 }), [
    'loss account differs: received of inbound is 4, but was 5',
  ])
  assert.equal(differ({ duplicate: 0 }).length, 1)
  assert.equal(differ({ missing_count: 5 }).length, 1)
  assert.equal(differ({ missing_ms: 60 }).length, 1)
  assert.deepEqual(differ({ missing_ms: null }), [])
})

test('by the clock, a gap may be off by a packet; where there is no gap, none may be told', () => {
  const differ = (missing_ms: number, change = {}) =>
    qualityDifferences([{ ...truth, ...change }], 'clock', [{ ...honest, received: 0, missing_ms }])
  assert.deepEqual(differ(40), [])
  assert.deepEqual(differ(120), [])
  assert.deepEqual(differ(121), [
    'loss account differs: missing_ms of inbound is 121, but was 80, give or take 40',
  ])
  assert.equal(differ(20, { missing: 0, gaps: 0 }).length, 1)
})

test('without numbers, how long audio was missing has to be told', () => {
  assert.deepEqual(qualityDifferences([truth], 'clock', [{ ...honest, missing_ms: null }]), [
    'loss account differs: missing_ms of inbound is not told',
  ])
})

test('a track that is not told of, and one that does not exist, differ', () => {
  const differences = qualityDifferences([truth], 'numbers', [{ ...honest, track: 'mixed' }])
  assert.deepEqual(differences, [
    'loss account differs: nothing was sent on mixed',
    'loss account differs: inbound is not in it',
  ])
})

test('a transcript has half of the longer words that were spoken', () => {
  const turns = [
    { speaker: 'customer', text: 'I have been charged twice.', start: 0, end: 1 },
    { speaker: 'agent', text: 'Sorry about that!', start: 1, end: 2 },
  ] as const
  const differ = (text: string) => transcriptDifferences(turns, text)
  assert.deepEqual(differ('Customer: I have been CHARGED […]\nAgent: sorry'), [])
  assert.deepEqual(differ('Customer: charged'), [
    'the transcript has 1 of the 7 longer words spoken',
  ])
  assert.equal(differ('').length, 1)
})
