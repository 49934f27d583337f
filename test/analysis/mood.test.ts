// The mood of a call over time, and as it is seen when a supervisor has exchanged the roles.
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { describeMood, moodAsSeen } from '../../src/analysis/mood.ts'
import { moodOf } from '../../src/analysis/providers/lexicon.ts'
import type { StoredUtterance } from '../../src/analysis/steps.ts'

function said(track: 'inbound' | 'outbound' | 'mixed', start: number, text: string) {
  return { track, speaker: null, start, end: start + 3, text, confidence: null }
}

function moodOfCall(spoken: readonly StoredUtterance[], swapped = false) {
  return describeMood({ label: 'mixed', score: 0.1 }, spoken, swapped, moodOf)
}

const spoken = [
  said('inbound', 1, 'This is terrible, I hate it.'),
  said('outbound', 5, 'I am very happy to help.'),
  said('inbound', 31, 'Wonderful, I love it, thank you.'),
]

suite('the mood of a call', () => {
  test('is kept of each track, and of the customer in stretches of 10 s in which something was said', () => {
    const { label, tracks, over_time } = moodOfCall(spoken)
    assert.deepEqual(
      [label, tracks.inbound?.label, tracks.outbound?.label],
      ['mixed', 'mixed', 'positive'],
    )
    assert.deepEqual(
      over_time.map(({ start, end, score }) => [start, end, Math.sign(score)]),
      [
        [0, 10, -1],
        [30, 40, 1],
      ],
    )
  })

  test('is that of the new customer when the roles are exchanged, without the course of the old one', () => {
    const mood = moodOfCall(spoken)
    assert.deepEqual(moodAsSeen(mood, false).over_time, mood.over_time)
    const seen = moodAsSeen(mood, true)
    assert.deepEqual(
      [seen.label, seen.score, seen.over_time],
      [mood.tracks.outbound?.label, mood.tracks.outbound?.score, []],
    )
  })

  test('stays as it is where nobody can tell the speakers apart', () => {
    const mood = moodOfCall([said('mixed', 1, 'This is terrible.')])
    assert.equal(mood.over_time.length, 1)
    assert.deepEqual(moodAsSeen(mood, true), moodAsSeen(mood, false))
  })
})
