import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { CallProgress } from '../../src/simulator/call.ts'
import { startProgress } from '../../src/simulator/progress.ts'

const calls: CallProgress[] = ['sim-aaaaa-1', 'sim-aaaaa-2'].map((id) => ({
  id,
  recording: 'billing-dispute',
  planned: 1400,
  phase: 'streaming',
  counts: 'acknowledged',
  count: 700,
  state: '',
}))

function start(terminal: { isTTY?: boolean; columns?: number; rows?: number }) {
  const written: string[] = []
  const clock = { now: 0 }
  const output = { ...terminal, write: (text: string) => written.push(text) }
  return { display: startProgress(output, () => clock.now), written, clock }
}

test('where nobody watches: one line a second at most, and the last state', () => {
  const { display, written, clock } = start({})
  for (clock.now = 0; clock.now < 3; clock.now += 0.125) display.update(calls)
  assert.equal(written.length, 3)
  assert.equal(
    written[0],
    '  0.0 s  1,400/2,800 packets acknowledged  live 2, analysis 0, finished 0\n',
  )
  display.end()
  display.end()
  assert.equal(written.length, 4)
})

test('on a terminal: a line a call, drawn over the picture before, ten times a second', () => {
  const { display, written, clock } = start({ isTTY: true, columns: 80, rows: 24 })
  for (clock.now = 0; clock.now < 1; clock.now += 0.0625) display.update(calls)
  assert.equal(written.length, 8)
  assert.ok(!written[0]?.includes('\x1b'))
  assert.ok(written[1]?.startsWith('\x1b[3A\x1b[0J'))
  const lines = written[0]?.split('\n') ?? []
  assert.match(lines[1] ?? '', /^ {2}sim-aaaaa-1 .+ █+░+ +700\/1400 {2}streaming$/)
  assert.ok(lines.every((line) => line.length < 80))
})

test('more calls than rows: only the summary', () => {
  const { display, written } = start({ isTTY: true, columns: 80, rows: 3 })
  display.update(calls)
  assert.equal(written[0]?.split('\n').length, 2)
})
