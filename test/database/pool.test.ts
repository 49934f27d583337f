import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { createPool, type Pool, type PoolOptions } from '../../src/database/pool.ts'
import { createLogger } from '../../src/telemetry/logger.ts'
import { databaseUrl } from '../support/database.ts'

const logger = createLogger({ level: 'error', pretty: false })

async function backendOf(pool: Pool): Promise<unknown> {
  const { rows } = await pool.query<{ pid: number }>('SELECT pg_backend_pid() AS pid')
  return rows[0]?.pid
}

/** Whether a connection is the same after an idle hour. */
async function outlivesIdleHour({ mock }: TestContext, options: PoolOptions): Promise<boolean> {
  mock.timers.enable({ apis: ['setTimeout'] })
  const pool = createPool(databaseUrl(), 'test', 1, logger, options)
  try {
    const before = await backendOf(pool)
    mock.timers.tick(3_600_000)
    return (await backendOf(pool)) === before
  } finally {
    await pool.end()
  }
}

test('a connection that nobody needs is closed', async (context) => {
  assert.equal(await outlivesIdleHour(context, {}), false)
})

test('a pool that keeps its connections answers after a quiet hour as fast as before', async (context) => {
  assert.equal(await outlivesIdleHour(context, { keepsIdle: true }), true)
})
