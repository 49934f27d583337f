import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { CallOutcome } from '../../src/simulator/call.ts'
import { writeReport } from '../../src/simulator/report.ts'

const outcome: CallOutcome = {
  id: 'sim-aaaaa-1',
  recording: 'billing-dispute',
  sent: 1442,
  acknowledged: 1442,
  duplicated: 12,
  dropped: 30,
  missing: 30,
  isExact: true,
  state: 'ARCHIVED',
  transcription: 'Agent: How can I help?\nCustomer: I have been charged twice for my March bill.',
  sentiment: 'negative',
  differences: [],
}

test('a table with a line a call, the conversation, a verdict', () => {
  assert.equal(
    writeReport([outcome], 120),
    `
call         recording        sent  acknowledged  duplicates  dropped  missing  state     sentiment
───────────  ───────────────  ────  ────────────  ──────────  ───────  ───────  ────────  ─────────
sim-aaaaa-1  billing-dispute  1442          1442          12       30       30  ARCHIVED  negative

sim-aaaaa-1  billing-dispute
  Agent:    How can I help?
  Customer: I have been charged twice for my March bill.

All agrees: 1,442 packets acknowledged, 30 dropped on the way; 1 of 1 calls are accounted for exactly and transcribed.
`,
  )
})

test('on a narrow terminal long lines are wrapped under their speaker', () => {
  const lines = writeReport([outcome], 40).split('\n')
  const start = lines.findIndex((line) => line.startsWith('  Customer:'))
  assert.deepEqual(lines.slice(start, start + 2), [
    '  Customer: I have been charged twice',
    '            for my March bill.',
  ])
})

test('a loss at the end of a call is explained', () => {
  assert.match(writeReport([{ ...outcome, missing: 29 }], 120), /no receiver can miss/)
})

test('a wire that acknowledges nothing has no column for it, and gaps to within a packet', () => {
  const report = writeReport([{ ...outcome, acknowledged: undefined, isExact: false }], 120)
  assert.doesNotMatch(report, /acknowledged/)
  assert.match(report, /All agrees: 1,442 packets sent, 30 dropped on the way; /)
  assert.match(report, /1 of 1 calls are accounted for, every gap to within a packet, and/)
})

test('a difference is told beside its call and in the verdict', () => {
  const different = { ...outcome, id: 'sim-aaaaa-2', differences: ['account differs: somehow'] }
  const report = writeReport([outcome, different], 120)
  assert.match(report, /^sim-aaaaa-2 {2}billing-dispute\n {2}! account differs: somehow\n/m)
  assert.match(report, /1 of 2 calls differ: sim-aaaaa-2\./)
})

test('a transcript cannot move the cursor', () => {
  const hostile = { ...outcome, transcription: 'a\x1b[2Jb\x07\x9bc', state: '\x1b[31mX' }
  assert.doesNotMatch(writeReport([hostile], 120), /[^\P{Cc}\n]/u)
})
