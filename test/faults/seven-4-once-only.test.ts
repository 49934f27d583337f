// Fault 4: finished calls were transcribed again at every poll, for ever, and decayed into FAILED.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { claimCalls } from '../../src/analysis/statements.ts'
import { connect, createDatabase } from '../support/database.ts'
import { startFleet } from '../support/fleet.ts'
import { completeCall, getCall } from '../support/gateway.ts'
import { assertInvariants } from '../support/invariants.ts'
import { createSender } from '../support/sender.ts'
import { until } from '../support/until.ts'

for (const [rest, status] of [
  ['0', 'ARCHIVED'],
  ['600', 'COMPLETED'],
] as const)
  test(`7.4 an analysed call, ${status}, is not analysed again, nor by a new gateway`, async () => {
    await using database = await createDatabase()
    const settings = { ARCHIVE_AFTER_SECONDS: rest }
    await using gateways = await startFleet(database.url, 1, settings)
    using pbx = createSender(gateways.urls)

    async function playCall(callId: string): Promise<Record<string, unknown>> {
      await pbx.deliver({ callId, sequence: 1, data: 'good morning' })
      await completeCall(gateways.at(0).url, callId)
      return await until(`${callId} has a result`, async () => {
        const { body } = await getCall(gateways.at(0).url, callId)
        return body.ai_processed_at !== null && body
      })
    }

    const finished = await playCall('finished')
    assert.equal(finished.status, status)
    // Each further call makes the gateway look for work, several times; so does its restart.
    for (let number = 0; number < 10; number += 1) await playCall(`later-${number}`)
    gateways.at(0).kill('SIGKILL')
    await gateways.replace(0)
    for (let number = 10; number < 15; number += 1) await playCall(`later-${number}`)

    const { body } = await getCall(gateways.at(0).url, 'finished')
    assert.deepEqual(body, finished)
    assert.equal(body.ai_processing_attempts, 1)
    // Nor when its rest is over and it waits to be archived.
    await using client = await connect(database.url)
    await client.query('BEGIN')
    await client.query("UPDATE calls SET due_at = clock_timestamp() WHERE status = 'COMPLETED'")
    assert.deepEqual(await claimCalls(client, 'the test', 'mock', 100, 60), [])
    await client.query('ROLLBACK')
    await assertInvariants(database.pool, pbx.history)
  })
