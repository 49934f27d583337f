// What is kept of events for those who come back, and for those who are slow.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { passes, typeOf } from '../../src/feed/filter.ts'
import { RecentEvents } from '../../src/feed/recent-events.ts'
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

test('recent events answer for every position since the first, and for none before', () => {
  const recent = new RecentEvents()
  assert.equal(recent.after(3), undefined)
  recent.add(3, [event(4, 'a'), event(6, 'b')])
  recent.add(6, [event(7, 'c')])
  assert.equal(recent.after(2), undefined)
  assert.deepEqual(positions(recent.after(3)), [4, 6, 7])
  assert.deepEqual(positions(recent.after(5)), [6, 7], 'where a call was erased, too')
  assert.deepEqual(positions(recent.after(7)), [])
  recent.clear()
  assert.equal(recent.after(7), undefined)
})

test('recent events take a bounded room: the oldest go, and are not answered for', () => {
  const recent = new RecentEvents()
  const text = 'x'.repeat(2 ** 20)
  for (let position = 1; position <= 20; position += 1)
    recent.add(position - 1, [event(position, 'a', { text })])
  const kept = Array.from({ length: 20 }, (_, after) => recent.after(after)).filter(
    (events) => events !== undefined,
  )
  assert.ok(kept.length >= 2 && kept.length <= 5)
  assert.equal(recent.after(2), undefined)
  assert.deepEqual(positions(recent.after(19)), [20])
})

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
