// What is kept of events for those who are slow, and what a filter lets through.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { passes, typeOf } from '../../src/feed/filter.ts'
import { NewestEvents, type StreamEvent, wanted } from '../../src/feed/stream-event.ts'

function event(position: number, callId: string, change: Partial<StreamEvent> = {}): StreamEvent {
  return {
    position,
    call_id: callId,
    kind: 'transition',
    status: 'COMPLETED',
    old_status: 'IN_PROGRESS',
    text: `${position}`,
    ...change,
  }
}

const positions = (events: readonly StreamEvent[] | undefined) =>
  events?.map(({ position }) => position)

test('the newest events are one for each call, in their order, and it is known how many had more', () => {
  const newest = new NewestEvents()
  newest.add([event(1, 'a'), event(2, 'b'), event(3, 'a')])
  newest.add([event(4, 'c'), event(5, 'a'), event(6, 'b')])
  assert.deepEqual(positions(newest.events), [4, 5, 6])
  assert.equal(newest.conflated, 2)
  assert.equal(newest.characters, 3)
})

test('a filter lets an event through when all that it says is so', () => {
  const change = event(1, 'a')
  assert.ok(passes({}, change))
  assert.ok(passes({ call: 'a', status: 'COMPLETED', type: 'call_update' }, change))
  assert.ok(passes({ status: 'IN_PROGRESS' }, change), 'it leaves that state')
  assert.ok(!passes({ status: 'FAILED' }, change))
  assert.ok(!passes({ call: 'b' }, change))
  assert.ok(!passes({ call: 'a', type: 'ai_result' }, change))
  assert.deepEqual(positions(wanted([change, event(2, 'b')], 0, { call: 'b' })), [2])
  assert.deepEqual(positions(wanted([change, event(2, 'b')], 1, undefined)), [2])
})

test('every kind of event has its type; a transition to nothing is the erasure of a call', () => {
  const types = (['transition', 'result', 'attempt', 'media'] as const).map((kind) =>
    typeOf({ kind, status: 'COMPLETED' }),
  )
  assert.deepEqual(types, ['call_update', 'ai_result', 'analysis_attempt', 'call_event'])
  assert.equal(typeOf({ kind: 'transition', status: null }), 'call_event')
})
