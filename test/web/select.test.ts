// Which calls the floor shows, and in which order.
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { floorHash, parseRoute } from '../../web/src/route.ts'
import { stateOf } from '../../web/src/state/call-state.ts'
import { lastedMs, selectCalls, wholeFloor } from '../../web/src/state/select.ts'
import type { FloorCall } from '../../web/src/state/types.ts'
import { callOf } from './desk-messages.ts'

const now = Date.parse('2026-01-01T01:00:00.000Z')
const at = (minute: number) =>
  new Date(Date.parse('2026-01-01T00:00:00Z') + minute * 60_000).toISOString()

function shown(calls: readonly FloorCall[], query: Partial<typeof wholeFloor> = {}): string[] {
  const seen = new Map(calls.map((call) => [call.call_id, { call, position: 1 }]))
  return selectCalls(seen, { ...wholeFloor, ...query }, now).map(({ call_id }) => call_id)
}

suite('the floor', () => {
  test('shows live calls first, then unfinished ones, newest first, whatever changes in them', () => {
    const calls = [
      callOf('old', { started_at: at(1) }),
      callOf('over', { started_at: at(50), status: 'ARCHIVED' }),
      callOf('failing', { started_at: at(2), status: 'FAILED' }),
      callOf('new', { started_at: at(9) }),
    ]
    const order = ['new', 'old', 'failing', 'over']
    assert.deepEqual(shown(calls), order)
    const changed = calls.map((call) => ({ ...call, packets: 9, lost_packets: 4, version: 8 }))
    assert.deepEqual(shown(changed.toReversed()), order)
  })

  test('finds a call by any word it shows, and by several at once', () => {
    const calls = [
      callOf('CA-1', { from: '+4420', to: 'sales', said_last: 'My bill is wrong' }),
      callOf('CA-2', { source: 'genesys', to: 'sales' }),
    ]
    assert.deepEqual(shown(calls, { search: 'BILL' }), ['CA-1'])
    assert.deepEqual(shown(calls, { search: 'sales genesys' }), ['CA-2'])
    assert.deepEqual(shown(calls, { search: 'live' }), ['CA-2', 'CA-1'])
    assert.deepEqual(shown(calls, { search: 'nothing' }), [])
  })

  test('filters by state, source and time', () => {
    const calls = [
      callOf('a', { started_at: at(5) }),
      callOf('b', { started_at: at(58), source: 'http' }),
      callOf('c', { started_at: at(59), status: 'FAILED' }),
    ]
    assert.deepEqual(shown(calls, { state: 'failed' }), ['c'])
    assert.deepEqual(shown(calls, { source: 'http' }), ['b'])
    assert.deepEqual(shown(calls, { minutes: 15 }), ['b', 'c'])
  })

  test('sorts by what is worst', () => {
    const calls = [
      callOf('good', { packets: 100, mood_score: 0.5 }),
      callOf('bad', { packets: 90, lost_packets: 10, mood_score: -0.5 }),
      callOf('worse', { packets: 10, lost_packets: 9, attempts: 3 }),
    ]
    assert.deepEqual(shown(calls, { sort: 'loss' }), ['worse', 'bad', 'good'])
    assert.deepEqual(shown(calls, { sort: 'mood' }), ['bad', 'good', 'worse'])
    assert.equal(shown(calls, { sort: 'attempts' })[0], 'worse')
  })

  test('lets a call last as long as its audio where that is measured, not until it was found to be over', () => {
    const talk = { customer_ms: 0, agent_ms: 0, silence_ms: 9_000, length_ms: 9_000 }
    const over = callOf('over', { status: 'ARCHIVED', completed_at: at(2) })
    assert.equal(lastedMs(over, now), 120_000)
    assert.equal(lastedMs({ ...over, talk }, now), 9_000)
  })

  test('has an address for all that is chosen', () => {
    const query = { ...wholeFloor, search: 'a b&c', state: 'failing', sort: 'loss' } as const
    assert.deepEqual(parseRoute(floorHash(query)), { view: 'floor', query })
    assert.equal(floorHash(wholeFloor), '#/')
    for (const hash of ['', '#', '#/nowhere', '#/?state=x&sort=y&minutes=-1'])
      assert.deepEqual(parseRoute(hash), { view: 'floor', query: wholeFloor })
    assert.deepEqual(parseRoute('#/call/%2Fa%20b'), { view: 'call', callId: '/a b' })
    assert.deepEqual(parseRoute('#/call/%E0%A4%A'), { view: 'call', callId: '%E0%A4%A' })
  })
})

suite('the state of a call', () => {
  const soon = new Date(now + 5_000).toISOString()
  const cases: readonly (readonly [Partial<FloorCall>, string])[] = [
    [{ status: 'IN_PROGRESS' }, 'live'],
    [{ status: 'COMPLETED' }, 'waiting'],
    [{ status: 'COMPLETED', mood: 'neutral' }, 'done'],
    [{ status: 'PROCESSING_AI' }, 'analysing'],
    [{ status: 'PROCESSING_AI', next_attempt_at: soon, error: '503' }, 'analysing'],
    [{ status: 'PROCESSING_AI', next_attempt_at: soon }, 'waiting'],
    [{ status: 'FAILED', next_attempt_at: soon }, 'failing'],
    [{ status: 'FAILED' }, 'failed'],
    [{ status: 'ARCHIVED', mood: 'mixed' }, 'done'],
    [{ status: 'ARCHIVED', error: '503' }, 'failed'],
  ]
  for (const [call, state] of cases)
    test(`is “${state}” of ${JSON.stringify(call)}`, () => {
      assert.equal(stateOf(callOf('a', call), now), state)
    })
})
