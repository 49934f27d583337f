// The store: one drawing a frame, whatever comes in between.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { emptyState } from '../../web/src/state/reduce.ts'
import { createStore } from '../../web/src/state/store.ts'
import { floorOf } from './desk-messages.ts'

test('a burst of messages is one change, at the next frame', () => {
  const frames: (() => void)[] = []
  const store = createStore(emptyState(0), (run) => frames.push(run))
  let changes = 0
  const unsubscribe = store.subscribe(() => {
    changes += 1
  })
  store.dispatch({ kind: 'snapshot', floor: floorOf({ position: 3 }), at: 0 })
  for (let index = 0; index < 500; index += 1) store.dispatch({ kind: 'conflated', calls: 1 })
  assert.equal(store.state().position, undefined)
  assert.equal(frames.length, 1)
  frames.shift()?.()
  assert.equal(changes, 1)
  assert.deepEqual([store.state().position, store.state().conflated], [3, 500])

  unsubscribe()
  store.dispatch({ kind: 'resync' })
  frames.shift()?.()
  assert.equal(changes, 1)
  assert.equal(store.state().position, undefined)
})

test('a page without frames does not collect messages without end', () => {
  const store = createStore(emptyState(0), () => {})
  for (let index = 0; index < 5_000; index += 1) store.dispatch({ kind: 'conflated', calls: 1 })
  assert.ok(store.state().conflated >= 2_000)
})
