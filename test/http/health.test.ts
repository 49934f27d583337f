import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import WebSocket from 'ws'
import { completeCall, getCall, sendPacket, startGateway } from '../support/gateway.ts'
import { startPrivatePostgres } from '../support/private-postgres.ts'
import { sharedGateway } from '../support/shared-gateway.ts'
import { until } from '../support/until.ts'

/** A gateway to which no call ever comes. */
const { gateway: quiet } = await sharedGateway()

type Body = Record<string, unknown>

async function read(url: string, path: string): Promise<{ status: number; body: Body }> {
  const response = await fetch(url + path)
  return { status: response.status, body: (await response.json()) as Body }
}

const idle = {
  is_running: true,
  processed_count: 0,
  ai_service_stats: { total_requests: 0, successful: 0, failed: 0, success_rate: 0 },
}

async function finish(url: string, callId: string, status: string): Promise<void> {
  await sendPacket(url, callId, 1)
  await completeCall(url, callId)
  await until(`call ${callId} is ${status}`, async () => {
    const { body } = await getCall(url, callId)
    return body.status === status
  })
}

suite('/health and /stats', () => {
  test('of a gateway that has done nothing say so', async () => {
    assert.deepEqual(await read(quiet.url, '/health'), {
      status: 200,
      body: { status: 'healthy', database: 'connected', processor: idle },
    })
    assert.deepEqual(await read(quiet.url, '/stats'), { status: 200, body: idle })
  })

  test('count what the AI service really answered', async () => {
    const { gateway } = await sharedGateway()
    for (const id of ['one', 'two']) await finish(gateway.url, id, 'ARCHIVED')
    const done = {
      is_running: true,
      processed_count: 2,
      ai_service_stats: { total_requests: 2, successful: 2, failed: 0, success_rate: 1 },
    }
    await until('both are counted', async () => {
      const { body } = await read(gateway.url, '/stats')
      return body.processed_count === 2
    })
    assert.deepEqual((await read(gateway.url, '/stats')).body, done)
    assert.deepEqual((await read(gateway.url, '/health')).body.processor, done)
  })

  test('count its failures', async () => {
    const { gateway } = await sharedGateway({
      AI_SERVICE_FAILURE_RATE: '1',
      MAX_RETRY_ATTEMPTS: '3',
      REDRIVE_INITIAL_WAIT: '3600',
      REDRIVE_MAX_WAIT: '3600',
    })
    await finish(gateway.url, 'failed', 'FAILED')
    await until('the attempts are counted', async () => {
      const { body } = await read(gateway.url, '/stats')
      return (body.ai_service_stats as Body).failed === 3
    })
    assert.deepEqual((await read(gateway.url, '/stats')).body, {
      is_running: true,
      processed_count: 0,
      ai_service_stats: { total_requests: 3, successful: 0, failed: 3, success_rate: 0 },
    })
  })
})

test('/health is 503 while the database is gone, and heals with it', async () => {
  await using postgres = await startPrivatePostgres()
  await using gateway = await startGateway(postgres.url)
  assert.equal((await read(gateway.url, '/health')).status, 200)
  assert.equal((await sendPacket(gateway.url, 'before', 1)).status, 202)

  await postgres.kill()
  const gone = { status: 'unhealthy', database: 'disconnected', processor: idle }
  await until('it is noticed', async () => (await read(gateway.url, '/health')).status === 503)
  assert.deepEqual(await read(gateway.url, '/health'), { status: 503, body: gone })
  const response = await fetch(`${gateway.url}/v1/call/before`)
  assert.equal(response.status, 503)
  assert.equal(response.headers.get('retry-after'), '1')
  assert.deepEqual(await response.json(), {
    detail: 'The database does not answer',
    code: 'database_unavailable',
  })
  // What only the process knows is still told.
  assert.deepEqual(await read(gateway.url, '/stats'), { status: 200, body: idle })

  await postgres.restart()
  await until('it is healthy', async () => (await read(gateway.url, '/health')).status === 200)
  assert.deepEqual((await read(gateway.url, '/health')).body, {
    status: 'healthy',
    database: 'connected',
    processor: idle,
  })
  assert.equal((await getCall(gateway.url, 'before')).body.total_packets, 1)
  assert.equal((await sendPacket(gateway.url, 'before', 2)).status, 202)
})

test('/ws/stats counts the clients that are connected now', async () => {
  const count = async () => {
    const { status, body } = await read(quiet.url, '/ws/stats')
    assert.equal(status, 200)
    assert.deepEqual(Object.keys(body), ['active_connections', 'timestamp'])
    assert.match(String(body.timestamp), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
    return body.active_connections
  }
  assert.equal(await count(), 0)
  const url = `${quiet.url.replace('http', 'ws')}/ws`
  const clients = [new WebSocket(url), new WebSocket(`${url}/desk`), new WebSocket(`${url}/desk`)]
  await until('three clients', async () => (await count()) === 3)
  clients[0]?.close()
  clients[1]?.terminate()
  await until('one client', async () => (await count()) === 1)
  clients[2]?.close()
  await until('no client', async () => (await count()) === 0)
})

test('/ names the service to a program', async () => {
  for (const accept of ['application/json', '*/*', 'application/json, text/plain, */*']) {
    const response = await fetch(quiet.url, { headers: { accept } })
    const { version, ...rest } = (await response.json()) as Body
    assert.match(String(version), /^\d+\.\d+\.\d+/)
    assert.deepEqual(rest, { service: 'AI PBX Gateway', status: 'running' })
  }
})
