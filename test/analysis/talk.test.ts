// Who spoke for how long, told from transcripts.
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import type { StoredUtterance } from '../../src/analysis/steps.ts'
import { talkOf } from '../../src/analysis/talk.ts'
import { talkAsSeen } from '../../src/calls/roles.ts'

function said(
  track: StoredUtterance['track'],
  start: number,
  end: number,
  speaker: StoredUtterance['speaker'] = null,
): StoredUtterance {
  return { track, speaker, start, end, text: '', confidence: null }
}

suite('the talk of a call', () => {
  test('is how long each spoke and how long nobody did', () => {
    const spoken = [said('outbound', 1, 3), said('inbound', 4, 8)]
    assert.deepEqual(talkOf(spoken, 10), { customer: 4, agent: 2, silence: 4, length: 10 })
  })

  test('counts time once in which one speaker has two utterances, and for both when both speak', () => {
    const spoken = [said('inbound', 0, 4), said('inbound', 2, 3), said('outbound', 3, 6)]
    assert.deepEqual(talkOf(spoken, 6), { customer: 4, agent: 3, silence: 0, length: 6 })
  })

  test('ends with the audio, whatever a service says; without a known length with the last word', () => {
    assert.deepEqual(talkOf([said('inbound', 1, 30)], 28), {
      customer: 27,
      agent: 0,
      silence: 1,
      length: 28,
    })
    assert.equal(talkOf([said('inbound', 1, 30)], 0).length, 30)
    assert.deepEqual(talkOf([said('inbound', 40, 50)], 28), {
      customer: 0,
      agent: 0,
      silence: 28,
      length: 28,
    })
  })

  test('names nobody where nobody can tell who spoke, and everybody where somebody said it', () => {
    assert.deepEqual(talkOf([said('mixed', 0, 2)], 8), {
      customer: null,
      agent: null,
      silence: 6,
      length: 8,
    })
    assert.equal(talkOf([said(null, 0, 2, 'agent')], 8).agent, 2)
  })

  test('of a silent call is silence', () => {
    assert.deepEqual(talkOf([], 8), { customer: 0, agent: 0, silence: 8, length: 8 })
  })

  test('changes its names with the roles', () => {
    const talk = { customer: 1, agent: 2, silence: 3, length: 6 }
    assert.deepEqual(talkAsSeen(talk, true), { ...talk, customer: 2, agent: 1 })
    assert.equal(talkAsSeen(talk, false), talk)
  })
})
