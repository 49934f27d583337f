// How long a call waits for services that may not be asked to transcribe it.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createHealth } from '../../src/analysis/health.ts'
import { ProviderError } from '../../src/analysis/provider.ts'
import { NotNow } from '../../src/analysis/refusals.ts'
import { transcribe } from '../../src/analysis/transcript-step.ts'
import type { AnalysisProvider } from '../../src/analysis/work-options.ts'
import { createLogger } from '../../src/telemetry/logger.ts'
import { claimOne } from '../support/claims.ts'
import { createDatabase } from '../support/database.ts'
import { workOptions } from '../support/work-options.ts'

const never = new AbortController().signal

function unable(name: string): AnalysisProvider {
  return {
    name,
    ceiling: 9,
    transcriber: {
      name,
      longestUpload: { bytes: 1e6, seconds: 60 },
      transcribe: () => Promise.reject(new ProviderError('permanent', `${name}: 400`)),
    },
  }
}

/** Tries to transcribe a call of one track, with services of which some are away for a minute. */
async function waitOf(names: readonly string[], away: readonly string[]): Promise<unknown> {
  await using database = await createDatabase()
  const { pool } = database
  const logger = createLogger({ level: 'silent', pretty: false })
  const health = createHealth({ pool, owner: 'one', expiresSeconds: 30, logger })
  const providers = names.map(unable)
  await health.declare(providers)
  for (const name of away)
    await pool.query(`SELECT stop_asking($1, 'paused', '401', 60, false)`, [name])
  const options = workOptions({ pool, providers, health }, ['mixed'])
  const refusal = await transcribe(await claimOne(pool), [], options, never).catch(
    (error: unknown) => error,
  )
  await health.stop()
  return refusal
}

test('while all are away a call waits no longer than the others: none is begun meanwhile', async () => {
  const refusal = await waitOf(['first', 'second'], ['first', 'second'])
  assert.ok(refusal instanceof NotNow)
  assert.equal(refusal.waitSeconds, 1)
})

test('a call that a service cannot deal with waits for the one that is away as long as that is', async () => {
  const refusal = await waitOf(['first', 'second'], ['second'])
  assert.ok(refusal instanceof NotNow)
  assert.ok(refusal.waitSeconds > 50)
  assert.equal(refusal.message, 'Waiting for second: 401')
})
