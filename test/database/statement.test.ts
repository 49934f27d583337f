import assert from 'node:assert/strict'
import { test } from 'node:test'
import '../../src/analysis/health-statements.ts'
import '../../src/analysis/provider-health.ts'
import '../../src/analysis/provider-history.ts'
import '../../src/analysis/statements.ts'
import '../../src/analysis/steps.ts'
import '../../src/analysis/usage-route.ts'
import '../../src/calls/announced-streams.ts'
import '../../src/calls/erase-route.ts'
import '../../src/calls/floor-statements.ts'
import '../../src/calls/media-formats.ts'
import '../../src/calls/media-streams.ts'
import '../../src/calls/statements.ts'
import '../../src/calls/timeline-statements.ts'
import '../../src/feed/event-log.ts'
import '../../src/http/health.ts'
import '../../src/intake/media/statements.ts'
import '../../src/ledger/statements.ts'
import '../../src/recording/statements.ts'
import '../../src/system/statements.ts'
import { DatabaseFailure } from '../../src/database/failure.ts'
import { allStatements, statement } from '../../src/database/statement.ts'
import { connect, createDatabase } from '../support/database.ts'

test('every statement of the program is valid against the migrated schema', async () => {
  await using database = await createDatabase()
  await using client = await connect(database.url)
  assert.ok(allStatements.size >= 15)
  for (const [name, text] of allStatements)
    await assert.doesNotReject(client.query(`PREPARE ${name} AS ${text}`), name)
})

test('a failed statement names itself and its kind, and never its values', async () => {
  await using database = await createDatabase()
  const divide = statement<[number], { result: number }>('test_divide', 'SELECT 424242 / $1::int')
  const failure = await divide(database.pool, 0).then(
    () => assert.fail('it divided'),
    (error: unknown) => error,
  )
  assert.ok(failure instanceof DatabaseFailure)
  assert.equal(failure.kind, 'data')
  assert.equal(failure.sqlState, '22012')
  assert.equal(failure.message, 'test_divide failed (22012)')
})

test('a database that is not there is unavailable', async () => {
  const nowhere = statement<[], object>('test_nowhere', 'SELECT 1')
  const refused = { query: () => Promise.reject(new Error('connect ECONNREFUSED')) }
  await assert.rejects(
    nowhere(refused as never),
    (error) => error instanceof DatabaseFailure && error.kind === 'unavailable',
  )
})

test('two statements of one name are a mistake', () => {
  statement('test_twice', 'SELECT 1')
  assert.throws(() => statement('test_twice', 'SELECT 2'), /Two statements are named test_twice/)
})
