// How an AI service is, in words and figures, from the first failure until it is well again: `GET /v1/providers`.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { declareService } from '../support/provider-health.ts'
import { sharedGateway } from '../support/shared-gateway.ts'

// Nobody calls, so the gateway itself asks neither of them.
const { gateway, database } = await sharedGateway({
  AI_PROVIDERS: 'mock,whisper',
})

type Shown = {
  readonly name: string
  readonly state: string
  readonly health: string
  readonly since: string
  readonly ill_since: string | null
  readonly next_probe_at: string | null
  readonly in_flight: number
  readonly allowed: number
  readonly limit: number
  readonly last_error: string | null
  readonly last_hour: { readonly succeeded: number; readonly failed: number }
}

async function shown(name: string): Promise<Shown> {
  const reply = await fetch(`${gateway.url}/v1/providers`)
  const { providers } = (await reply.json()) as { providers: Shown[] }
  const provider = providers.find((each) => each.name === name)
  assert.ok(provider)
  return provider
}

test('a service that fails is told from the first failure to the last probe, and back to its limit', async () => {
  const service = await declareService(database.pool, 4, 'mock')
  const well = await shown('mock')
  assert.deepEqual(
    [well.state, well.health, well.ill_since, well.next_probe_at, well.allowed, well.limit],
    ['closed', 'Well.', null, null, 4, 4],
  )

  for (let failure = 0; failure < 3; failure += 1)
    await service.ask('outage', { error: 'cannot be reached' })
  const open = await shown('mock')
  assert.equal(open.state, 'open')
  assert.equal(open.ill_since, open.since)
  assert.ok(Date.parse(open.next_probe_at ?? '') > Date.parse(open.since))
  const failing = `Failing since ${open.since} (cannot be reached); `
  assert.equal(open.health, `${failing}asked again at ${open.next_probe_at}.`)
  assert.equal(open.last_error, 'cannot be reached')

  await service.endWait()
  assert.equal((await shown('mock')).health, `${failing}asked again with the next call.`)

  const probe = (await service.admit()) ?? 0
  const probed = await shown('mock')
  assert.ok(Date.parse(probed.since) > Date.parse(open.since))
  assert.equal(probed.health, `${failing}being tried with one request since ${probed.since}.`)
  assert.deepEqual(
    [probed.state, probed.ill_since, probed.next_probe_at, probed.in_flight, probed.allowed],
    ['half_open', open.since, null, 1, 1],
  )

  await service.report(probe, 'outage', { error: 'still away' })
  const again = await shown('mock')
  assert.deepEqual([again.state, again.ill_since], ['open', open.since])
  assert.equal(
    again.health,
    `Failing since ${open.since} (still away); asked again at ${again.next_probe_at}.`,
  )

  await service.endWait()
  for (const allowed of [2, 3]) {
    await service.ask('succeeded')
    const back = await shown('mock')
    assert.equal(
      back.health,
      `Back since ${back.since}; it gets more requests bit by bit (${allowed} of 4 at once).`,
    )
    assert.deepEqual(
      [back.state, back.ill_since, back.next_probe_at, back.allowed, back.limit],
      ['closed', null, null, allowed, 4],
    )
  }
  await service.ask('succeeded')
  const healed = await shown('mock')
  assert.deepEqual([healed.state, healed.health, healed.allowed], ['closed', 'Well.', 4])
  const { succeeded, failed } = healed.last_hour
  assert.deepEqual([succeeded, failed], [3, 4])
})

test('a service whose settings are wrong says which, and for how long already', async () => {
  const service = await declareService(database.pool, 4, 'whisper')
  await service.ask('configuration', { error: '401 Unauthorized' })
  const paused = await shown('whisper')
  assert.deepEqual([paused.state, paused.ill_since], ['paused', paused.since])
  assert.equal(
    paused.health,
    `Not asked since ${paused.since}, its settings are wrong: 401 Unauthorized; ` +
      `tried again at ${paused.next_probe_at}.`,
  )
  await service.endWait()
  await service.ask('configuration', { error: '403 Forbidden' })
  const still = await shown('whisper')
  assert.deepEqual([still.state, still.ill_since], ['paused', paused.since])
  assert.match(still.health, new RegExp(`^Not asked since ${paused.since}, .*: 403 Forbidden; `))
})
