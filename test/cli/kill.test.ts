// kill -9 of a gateway with an embedded database, under load, and a start on the same DATA_DIR: what was
// acknowledged is there, and every call comes to its end.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { untilArchived } from '../support/archived.ts'
import { newDataDirectory } from '../support/data-directory.ts'
import { type GatewayProcess, startGateway } from '../support/gateway.ts'
import { count } from '../support/history.ts'
import { assertInvariants } from '../support/invariants.ts'
import { startLoad } from '../support/load.ts'
import { createSender } from '../support/sender.ts'
import { until } from '../support/until.ts'

const victims = ['the gateway', 'the gateway and its postmaster', 'the postmaster'] as const

test('whichever is killed, the next start finds every acknowledged packet and goes on', async (t) => {
  await using directory = newDataDirectory()
  await using everStarted = new AsyncDisposableStack()
  const start = async () =>
    everStarted.use(
      await startGateway('', { DATA_DIR: directory.path, AI_SERVICE_MAX_LATENCY: '0.2' }),
    )
  let gateway: GatewayProcess = await start()
  using pbx = createSender(() => [gateway.url])
  const load = startLoad(pbx, { clients: 4, packetsPerCall: 30, window: 3, seed: 7 })

  for (const victim of victims) {
    const enough = count(pbx.history, 'acknowledged') + 150
    await until('some packets more', () => count(pbx.history, 'acknowledged') > enough)
    const postmaster = directory.postmaster()
    assert.ok(postmaster)
    if (victim !== 'the gateway') process.kill(postmaster.pid, 'SIGKILL')
    if (victim === 'the postmaster') {
      await until('another one runs', () => {
        const next = directory.postmaster()
        return next?.ready === true && next.pid !== postmaster.pid
      })
      continue
    }
    gateway.kill('SIGKILL')
    assert.equal(await gateway.exited, 'SIGKILL')
    gateway = await start()
    const next = directory.postmaster()
    assert.equal(next?.pid === postmaster.pid, victim === 'the gateway')
    const said = victim === 'the gateway' ? 'was still running and is used again' : 'is running'
    assert.ok(gateway.log.some(({ msg }) => msg?.includes(said)))
  }

  const calls = await load.stop()
  const pool = directory.connect()
  await untilArchived({ pool }, calls.length)
  t.diagnostic(
    `${calls.length} calls, ${count(pbx.history, 'acknowledged')} packets acknowledged, ` +
      `${count(pbx.history, 'unknown')} requests cut off`,
  )
  await assertInvariants(pool, pbx.history)
  await pool.end()

  gateway.kill('SIGTERM')
  assert.equal(await gateway.exited, 0)
  assert.equal(directory.postmaster(), undefined, 'also a server that it did not start itself')
})
