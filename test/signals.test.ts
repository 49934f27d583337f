// Ctrl-C may be heard twice, and who presses it twice means it.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { endOnSignal } from '../src/signals.ts'

test('the echo of a signal is none; one a second later ends at once', () => {
  const heard: string[] = []
  let now = 5_000
  const onSignal = endOnSignal(
    () => heard.push('end'),
    (signal) => heard.push(signal),
    () => now,
  )
  onSignal('SIGINT')
  onSignal('SIGINT')
  now += 1_000
  onSignal('SIGTERM')
  assert.deepEqual(heard, ['end'])
  now += 1
  onSignal('SIGINT')
  assert.deepEqual(heard, ['end', 'SIGINT'])
})
