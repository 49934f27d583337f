// kill -9 of gateways under load: what was acknowledged is there, and every call comes to its end.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seededRandom } from '../../src/random.ts'
import { untilArchived } from '../support/archived.ts'
import { createDatabase } from '../support/database.ts'
import { startFleet } from '../support/fleet.ts'
import { count } from '../support/history.ts'
import { assertInvariants } from '../support/invariants.ts'
import { startLoad } from '../support/load.ts'
import { createSender } from '../support/sender.ts'
import { sized } from '../support/soak.ts'
import { until } from '../support/until.ts'

const kills = sized(3, 10)

test(`${kills} kills under load lose no acknowledged packet, and every call is archived`, async (t) => {
  const seed = 4_711
  t.diagnostic(`seed ${seed}`)
  const random = seededRandom(seed)
  await using database = await createDatabase()
  await using gateways = await startFleet(database.url, 2, {
    AI_SERVICE_FAILURE_RATE: '0.25',
    AI_SERVICE_MAX_LATENCY: '0.3',
  })
  using pbx = createSender(gateways.urls)
  const load = startLoad(pbx, { clients: 6, packetsPerCall: 40, window: 3, seed })

  for (let kill = 0; kill < kills; kill += 1) {
    // In the midst of requests and analyses, not at a moment that we choose.
    const enough = pbx.history.length + 50 + Math.floor(random() * 400)
    await until('some packets more', () => pbx.history.length > enough)
    const place = random() < 0.5 ? 0 : 1
    gateways.at(place).kill('SIGKILL')
    assert.equal(await gateways.at(place).exited, 'SIGKILL')
    await gateways.replace(place)
  }

  const calls = await load.stop()
  await untilArchived(database, calls.length)
  const { rows } = await database.pool.query(
    "SELECT count(*) AS lost FROM attempts WHERE outcome = 'lost'",
  )
  t.diagnostic(
    `${calls.length} calls, ${count(pbx.history, 'acknowledged')} packets acknowledged, ` +
      `${count(pbx.history, 'unknown')} requests cut off, ${rows[0]?.lost} attempts taken over`,
  )
  assert.ok(count(pbx.history, 'unknown') > 0, 'the kills met requests')
  await assertInvariants(database.pool, pbx.history)
})
