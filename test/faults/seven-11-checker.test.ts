// Fault 11, of the checker itself: a sound database is damaged in one place after the other, and
// for each the checker must name the invariant that is broken. A check that cannot fail proves
// nothing.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { untilArchived } from '../support/archived.ts'
import { connect, createDatabase } from '../support/database.ts'
import { startFleet } from '../support/fleet.ts'
import type { History, PacketRequest } from '../support/history.ts'
import { findViolations } from '../support/invariants.ts'
import { createSender } from '../support/sender.ts'
import { until } from '../support/until.ts'

/** What is done to the database, and how the checker has to call it. */
const damages: readonly (readonly [sql: string, violation: string])[] = [
  [
    "DELETE FROM segments WHERE first_sequence = 4 AND track = 'mixed'",
    'I1 call: packet 4 was ack',
  ],
  ['DELETE FROM calls', 'I1 call: the call is not there'],
  [
    "UPDATE segments SET payload = overlay(payload PLACING 'x' FROM 1)",
    'I1 call: packet 1 is stored with',
  ],
  ['UPDATE segments SET timestamps[1] = 9', 'I1 call: packet 1 is stored with'],
  [
    `INSERT INTO segments (call, track, first_sequence, last_sequence, encoding, sequences,
       timestamps, sizes, payload)
     SELECT call, 'inbound', first_sequence, last_sequence, encoding, sequences,
       timestamps, sizes, payload
     FROM segments WHERE first_sequence = 1`,
    'I1 call: packet 1 is stored twice',
  ],
  ['UPDATE segments SET sizes[1] = sizes[1] - 1', 'I4 call: the segment from'],
  ['UPDATE segments SET last_sequence = last_sequence + 1', 'I4 call: the segment from'],
  ['DELETE FROM tracks', 'I4 call: track mixed has segments and no row'],
  ["UPDATE tracks SET received = received - '{[2,3)}'", 'I4 call: track mixed: 2 stored and not'],
  ["UPDATE tracks SET received = received + '{[3,4)}'", 'I4 call: track mixed: 3 in the account'],
  ['UPDATE tracks SET packets = packets + 1', 'I4 call: track mixed: counts 4 packets, stored'],
  ['UPDATE tracks SET has_zero = true', 'I4 call: track mixed: its base is wrong'],
  ['UPDATE tracks SET missing_below = 1', 'I4 call: track mixed: counts 1 missing'],
  [
    "UPDATE calls SET status = 'PROCESSING_AI', due_at = clock_timestamp() + interval '1 h'",
    'I5 call: its events end ARCHIVED',
  ],
  ['UPDATE calls SET version = 9', 'I5 call: its events end at'],
  ["DELETE FROM events WHERE status = 'COMPLETED'", 'I5 call: COMPLETED to PROCESSING_AI follows'],
  ['UPDATE events SET version = version + 1', 'I5 call: version 2 is not 1'],
  ["DELETE FROM events WHERE kind = 'result'", 'I5 call: PROCESSING_AI to ARCHIVED follows'],
  ['UPDATE events SET position = position + 1000', 'I5 the feed has 1001 at place 1'],
  [
    'UPDATE events SET position = 100 - position',
    'I5 call: its positions disagree with its events',
  ],
  [
    `INSERT INTO events (call, call_id, kind, version, status)
     SELECT call, call_id, kind, version, status FROM events WHERE kind = 'result'`,
    'I6 call: 2 result events',
  ],
  ["UPDATE attempts SET outcome = 'lost'", 'I6 call: 1 result events, 0 successes'],
  [
    'UPDATE calls SET ai_processed_at = NULL',
    'I6 call: 1 result events, 1 successes, result: false',
  ],
  ['UPDATE calls SET lease_token = 2', 'I6 call: the result of token 1 is stored'],
  ['DELETE FROM attempts', 'I6 call: 1 attempts counted, 0 rows'],
  [
    "UPDATE calls SET status = 'IN_PROGRESS', due_at = clock_timestamp() - interval '1 minute'",
    'I7 call: IN_PROGRESS, its next step due for',
  ],
  [
    'UPDATE attempts SET ended_at = NULL, outcome = NULL',
    'I7 call: 1 open attempts, leased: false',
  ],
]

test('7.11 the checker finds every damage to a database, and none in a sound one', async (t) => {
  await using database = await createDatabase()
  await using gateways = await startFleet(database.url, 1)
  using pbx = createSender(gateways.urls)
  for (const sequence of [1, 2, 2, 4])
    await pbx.deliver({ callId: 'call', sequence, data: `packet ${sequence}` })
  await pbx.hangUp('call')
  await untilArchived(database, 1)
  await until('every event has its position', async () => {
    const { rows } = await database.pool.query('SELECT FROM events WHERE position IS NULL')
    return rows.length === 0
  })
  assert.deepEqual(await findViolations(database.pool, pbx.history), [])

  await using client = await connect(database.url)
  for (const [sql, expected] of damages) {
    await client.query('BEGIN')
    // Constraints and triggers would prevent most of it.
    await client.query('SET LOCAL session_replication_role = replica')
    const { rowCount } = await client.query(sql)
    assert.ok(rowCount, sql)
    assertFound(await findViolations(client, pbx.history), expected, sql)
    await client.query('ROLLBACK')
  }

  const [first, ...others] = pbx.history
  assert.ok(first !== undefined)
  const altered = (change: Partial<PacketRequest>): History => [{ ...first, ...change }, ...others]
  const histories: readonly (readonly [what: string, history: History, violation: string])[] = [
    ['unsent', others, 'I2 call: packet 1 was never sent'],
    ['refused', altered({ outcome: 'refused' }), 'I2 call: packet 1 was refused'],
    ['new twice', [first, ...pbx.history], 'I1 call: packet 1 was called new 2 times'],
    [
      'the wrong one is new',
      [{ ...first, data: 'other' }, { ...first, duplicate: true }, ...others],
      'I1 call: packet 1 is not stored as the request',
    ],
    ['another call', [...pbx.history, { ...first, callId: 'b' }], 'I1 b: the call is not there'],
  ]
  for (const [what, history, expected] of histories)
    assertFound(await findViolations(database.pool, history), expected, what)
  const unknown = altered({ outcome: 'unknown', status: undefined })
  assert.deepEqual(await findViolations(database.pool, unknown), [])
  t.diagnostic(`${damages.length + histories.length} damages found`)
})

function assertFound(violations: readonly string[], expected: string, damage: string): void {
  assert.ok(
    violations.some((violation) => violation.startsWith(expected)),
    `${damage}\nexpected: ${expected}\nfound: ${violations.join('\n       ')}`,
  )
}
