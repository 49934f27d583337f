// What the desk knows after any sequence of messages.
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import {
  type DeskState,
  emptyState,
  type Message,
  mostCalls,
  reduce,
} from '../../web/src/state/reduce.ts'
import { callOf, eventOf, floorOf, tickOf } from './desk-messages.ts'

function after(...messages: readonly Message[]): DeskState {
  return reduce(emptyState(0), messages)
}

const snapshot = (floor: Parameters<typeof floorOf>[0] = {}): Message => ({
  kind: 'snapshot',
  floor: floorOf(floor),
  at: 0,
})
const event = (...given: Parameters<typeof eventOf>): Message => ({
  kind: 'event',
  event: eventOf(...given),
})
const statusOf = (state: DeskState, id: string) => state.calls.get(id)?.call.status

suite('the state of the desk', () => {
  test('is the snapshot, then every event after it', () => {
    const state = after(
      snapshot({ position: 10, calls: [callOf('a'), callOf('b')] }),
      event(11, 'a', 'COMPLETED', 'IN_PROGRESS'),
      event(12, 'c', 'IN_PROGRESS', null),
    )
    assert.equal(state.position, 12)
    assert.deepEqual([...state.calls.keys()], ['a', 'b', 'c'])
    assert.equal(statusOf(state, 'a'), 'COMPLETED')
    assert.deepEqual([state.counts.IN_PROGRESS, state.counts.COMPLETED], [2, 1])
  })

  test('is the same whether the messages come together or one by one', () => {
    const messages = [
      snapshot({ position: 10, calls: [callOf('a')] }),
      event(11, 'a', 'COMPLETED', 'IN_PROGRESS'),
      event(12, 'b', 'IN_PROGRESS', null),
      event(13, 'a', 'PROCESSING_AI', 'COMPLETED'),
    ]
    const oneByOne = messages.reduce((state, message) => reduce(state, [message]), emptyState(0))
    assert.deepEqual(oneByOne, after(...messages))
  })

  test('counts an event once that comes again after a reconnect', () => {
    const messages = [
      snapshot({ position: 10, calls: [callOf('a')] }),
      event(11, 'a', 'COMPLETED', 'IN_PROGRESS'),
      event(12, 'a', 'PROCESSING_AI', 'COMPLETED'),
    ]
    const once = after(...messages)
    assert.deepEqual(reduce(once, messages.slice(1)), once)
  })

  test('goes on where it was after a reconnect', () => {
    const state = after(
      snapshot({ position: 10, calls: [callOf('a')] }),
      { kind: 'connection', state: 'lost', at: 5 },
      { kind: 'connection', state: 'live', at: 9 },
      event(11, 'a', 'COMPLETED', 'IN_PROGRESS'),
    )
    assert.equal(statusOf(state, 'a'), 'COMPLETED')
    assert.deepEqual(state.connection, { state: 'live', since: 9 })
  })

  test('keeps since when the connection is lost, however often it is tried', () => {
    const state = after(
      { kind: 'connection', state: 'lost', at: 5 },
      { kind: 'connection', state: 'lost', at: 9 },
    )
    assert.deepEqual(state.connection, { state: 'lost', since: 5 })
  })

  test('takes no event between a resync and the snapshot that follows it', () => {
    const state = after(
      snapshot({ position: 900, calls: [callOf('of-the-lost-database')] }),
      { kind: 'resync' },
      event(3, 'early', 'IN_PROGRESS', null),
      snapshot({ position: 4, calls: [callOf('restored')] }),
      event(5, 'restored', 'COMPLETED', 'IN_PROGRESS'),
    )
    assert.deepEqual([...state.calls.keys()], ['restored'])
    assert.equal(statusOf(state, 'restored'), 'COMPLETED')
    assert.equal(state.position, 5)
  })

  test('takes from a refresh what is newer, and nothing that is older', () => {
    const state = after(
      snapshot({ position: 10, calls: [callOf('a'), callOf('b')] }),
      event(15, 'a', 'COMPLETED', 'IN_PROGRESS'),
      {
        kind: 'refreshed',
        at: 0,
        floor: floorOf({
          position: 12,
          calls: [callOf('a', { packets: 7 }), callOf('b', { packets: 9 })],
        }),
      },
    )
    assert.equal(statusOf(state, 'a'), 'COMPLETED')
    assert.equal(state.calls.get('b')?.call.packets, 9)
    assert.equal(state.counts.COMPLETED, 1)
  })

  test('does not count again what a refresh has counted', () => {
    const counted = { ...floorOf({}).counts, IN_PROGRESS: 1, COMPLETED: 1 }
    const state = after(
      snapshot({ position: 10, calls: [callOf('a'), callOf('b')] }),
      { kind: 'refreshed', at: 0, floor: floorOf({ position: 11, calls: [], counts: counted }) },
      event(11, 'a', 'COMPLETED', 'IN_PROGRESS'),
    )
    assert.deepEqual(state.counts, counted)
  })

  test('takes of conflated calls the newest state, and says how many they were', () => {
    const state = after(
      snapshot({ position: 10, calls: [callOf('a')] }),
      { kind: 'conflated', calls: 1 },
      event(50, 'a', 'ARCHIVED', 'PROCESSING_AI', { status: 'ARCHIVED', attempts: 3 }),
    )
    assert.equal(state.calls.get('a')?.call.attempts, 3)
    assert.equal(state.conflated, 1)
  })

  test('counts anew what was counted for it when events were merged, and not what is older', () => {
    const merged = after(
      snapshot({ position: 10, calls: [callOf('a'), callOf('b')] }),
      { kind: 'conflated', calls: 1 },
      event(50, 'a', 'ARCHIVED', 'PROCESSING_AI'),
    )
    const counts = { ...floorOf({}).counts, IN_PROGRESS: 1, ARCHIVED: 1 }
    const tick = (position: number): Message => ({
      kind: 'tick',
      tick: tickOf(position, counts),
      at: 0,
    })
    assert.deepEqual(reduce(merged, [tick(49)]).counts, merged.counts)
    const counted = reduce(merged, [tick(51)])
    assert.deepEqual(counted.counts, counts)
    // What the tick has counted is not counted again when its event comes.
    assert.deepEqual(reduce(counted, [event(51, 'b', 'COMPLETED', 'IN_PROGRESS')]).counts, counts)
  })

  test('forgets a call that was erased, by this page or another', () => {
    const before = snapshot({ position: 10, calls: [callOf('a'), callOf('b')] })
    const byAnother = after(before, {
      kind: 'event',
      event: {
        type: 'call_event',
        event: 'call_erased',
        position: 11,
        call_id: 'a',
        timestamp: '',
        call: null,
      },
    })
    assert.deepEqual([...byAnother.calls.keys()], ['b'])
    const here = after(before, { kind: 'erased', callId: 'a' })
    assert.deepEqual(here.counts, byAnother.counts)
    assert.deepEqual(reduce(here, [{ kind: 'erased', callId: 'a' }]).counts, here.counts)
  })

  test('knows of a failed attempt when the next one is made', () => {
    const state = after(snapshot({ position: 10, calls: [callOf('a')] }), {
      kind: 'event',
      event: {
        type: 'analysis_attempt',
        position: 11,
        call_id: 'a',
        timestamp: '',
        data: { attempt: 2, error: '503', next_attempt_at: '2026-01-01T00:00:00.000Z' },
      },
    })
    const { attempts, error, next_attempt_at: next } = state.calls.get('a')?.call ?? callOf('')
    assert.deepEqual([attempts, error, next], [2, '503', '2026-01-01T00:00:00.000Z'])
  })

  test('keeps a minute of ticks, and the clock of the gateway', () => {
    const now = new Date(100_000).toISOString()
    const tick = { ...tickOf(0), now }
    const ticks = Array.from({ length: 90 }, (): Message => ({ kind: 'tick', tick, at: 40_000 }))
    const state = after(snapshot(), ...ticks)
    assert.equal(state.ticks.length, 60)
    assert.equal(state.skewMs, 60_000)
  })

  test('does not grow without end: calls that ended first are forgotten first', () => {
    const id = (index: number) => `call-${String(index).padStart(5, '0')}`
    const calls = Array.from({ length: mostCalls + 5 }, (_, index) =>
      callOf(id(index), {
        status: index % 2 === 0 ? 'ARCHIVED' : 'IN_PROGRESS',
        started_at: new Date(index).toISOString(),
      }),
    )
    const state = after(snapshot({ position: 1, calls }))
    assert.equal(state.calls.size, mostCalls)
    assert.deepEqual(
      [0, 1, 2, 8, 10].map((index) => state.calls.has(id(index))),
      [false, true, false, false, true],
    )
  })
})
