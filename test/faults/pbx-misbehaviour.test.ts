// Clients that break every rule on every listener at once, and 2,000 that say nothing: good calls beside them are
// whole, sample for sample.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { protocols } from '../../src/simulator/protocols.ts'
import { startBadClients } from '../support/bad-clients.ts'
import {
  archived,
  assertWhole,
  audioSocketPortOf,
  drawCallId,
  hearTrack,
  playCall,
  tracksOf,
} from '../support/pbx-calls.ts'
import { seededFor } from '../support/seed.ts'
import { sharedGateway } from '../support/shared-gateway.ts'

const secrets = {
  TWILIO_AUTH_TOKEN: 'the-auth-token-of-twilio',
  FONOSTER_ACCESS_KEY_SECRET: 'the-secret-of-fonoster',
  GENESYS_API_KEY: 'the-key-of-genesys',
  GENESYS_CLIENT_SECRET: Buffer.from('the-secret-of-genesys').toString('base64'),
}
const { gateway, database } = await sharedGateway({
  ...secrets,
  AUDIOSOCKET_PORT: '0',
  RECONNECT_GRACE_SECONDS: '1',
})
const { url } = gateway
const goodCalls = 20
const silentClients = 2_000

test('good calls do not notice clients that misbehave', { timeout: 90_000 }, async (t) => {
  await using bad = await startBadClients({
    url,
    audioSocketPort: audioSocketPortOf(gateway),
    seed: Math.floor(seededFor(t)() * 2 ** 32),
    silent: silentClients,
  })
  const good = Array.from({ length: goodCalls }, (_, index) => {
    const protocol = protocols[index % protocols.length]
    assert.ok(protocol)
    return { protocol, callId: drawCallId(protocol) }
  })
  await Promise.all(
    good.map(({ protocol, callId }) =>
      playCall(gateway, protocol, callId, {
        secrets: {
          twilioAuthToken: secrets.TWILIO_AUTH_TOKEN,
          fonosterSecret: secrets.FONOSTER_ACCESS_KEY_SECRET,
          genesysApiKey: secrets.GENESYS_API_KEY,
          genesysClientSecret: secrets.GENESYS_CLIENT_SECRET,
        },
      }),
    ),
  )
  const endings = await bad.stop()

  for (const { protocol, callId } of good) {
    const call = await archived(url, callId)
    assert.match(String(call.transcription), /\w/)
    for (const track of tracksOf(protocol))
      assertWhole(protocol, await hearTrack(url, callId, track))
  }
  // They were told, each in the manner of its listener: refused, too big, against the rules, hung up.
  t.diagnostic(JSON.stringify([...endings]))
  for (const ending of ['403', '1008', '1009', 'hung up'])
    assert.ok((endings.get(ending) ?? 0) > 0, ending)
  const defects = gateway.log.filter(({ level }) => level === 'error' || Number(level) >= 50)
  assert.deepEqual(defects, [])
  const healthy = await fetch(`${url}/health`)
  assert.equal(healthy.status, 200)
  const { rows } = await database.pool.query<{ call_id: string }>(
    `SELECT call_id FROM calls WHERE call_id = ANY ($1)`,
    [good.map(({ callId }) => callId)],
  )
  assert.equal(rows.length, goodCalls)
})
