import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { completeCall, getCall, sendPacket } from '../support/gateway.ts'
import { sharedGateway } from '../support/shared-gateway.ts'
import { until } from '../support/until.ts'

const { gateway } = await sharedGateway()
const { url } = gateway
/** Its AI service never works, and a failed call is not tried again while the tests run. */
const { gateway: failing } = await sharedGateway({
  AI_SERVICE_FAILURE_RATE: '1',
  MAX_RETRY_ATTEMPTS: '1',
  REDRIVE_INITIAL_WAIT: '3600',
  REDRIVE_MAX_WAIT: '3600',
})

type Body = Record<string, unknown>

const callKeys = [
  'id',
  'call_id',
  'status',
  'created_at',
  'updated_at',
  'completed_at',
  'total_packets',
  'missing_packets',
  'transcription',
  'sentiment',
  'ai_processed_at',
  'error_message',
]
const detailKeys = [
  ...callKeys,
  'packets_count',
  'missing_count',
  'ai_processing_attempts',
  'summary',
  'tracks_swapped',
]
const time = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/

function assertCall(call: Body, keys: readonly string[]): void {
  assert.deepEqual(Object.keys(call), keys)
  assert.ok(Number.isSafeInteger(call.id))
  for (const key of ['created_at', 'updated_at']) assert.match(String(call[key]), time)
  for (const key of ['completed_at', 'ai_processed_at'])
    if (call[key] !== null) assert.match(String(call[key]), time)
}

async function ended(gatewayUrl: string, callId: string, status: string): Promise<Body> {
  return await until(`call ${callId} is ${status}`, async () => {
    const { body } = await getCall(gatewayUrl, callId)
    return body.status === status && body
  })
}

suite('a call', () => {
  test('has exactly the fields of the contract, while it goes on', async () => {
    await sendPacket(url, 'live', 1)
    await sendPacket(url, 'live', 4)
    const { status, body } = await getCall(url, 'live')
    assert.equal(status, 200)
    assertCall(body, detailKeys)
    const { id, created_at: created, updated_at: updated, ...rest } = body
    assert.ok(Number(id) > 0)
    assert.ok(String(created) <= String(updated))
    assert.deepEqual(rest, {
      call_id: 'live',
      status: 'IN_PROGRESS',
      completed_at: null,
      total_packets: 2,
      missing_packets: '2,3',
      transcription: null,
      sentiment: null,
      ai_processed_at: null,
      error_message: null,
      packets_count: 2,
      missing_count: 2,
      ai_processing_attempts: 0,
      summary: null,
      tracks_swapped: false,
    })
  })

  test('has them when it is over, with its result', async () => {
    await sendPacket(url, 'over', 1, 'thank you, that is wonderful')
    await completeCall(url, 'over')
    const call = await ended(url, 'over', 'ARCHIVED')
    assertCall(call, detailKeys)
    assert.equal(call.transcription, 'thank you, that is wonderful')
    assert.equal(call.sentiment, 'positive')
    assert.match(String(call.summary), /\w/)
    assert.match(String(call.completed_at), time)
    assert.match(String(call.ai_processed_at), time)
    assert.equal(call.ai_processing_attempts, 1)
    assert.equal(call.error_message, null)
  })

  test('is updated by each packet', async () => {
    await sendPacket(url, 'updated', 1)
    const { body: before } = await getCall(url, 'updated')
    // In milliseconds, the next packet may be of the same time.
    let sequence = 1
    const after = await until('a later time', async () => {
      sequence += 1
      await sendPacket(url, 'updated', sequence)
      const { body } = await getCall(url, 'updated')
      return String(body.updated_at) > String(before.updated_at) && body
    })
    assert.equal(after.created_at, before.created_at)
  })

  test('that nobody knows is a 404 that names it', async () => {
    assert.deepEqual(await getCall(url, 'nobody'), {
      status: 404,
      body: { detail: 'Call nobody not found', code: 'call_not_found' },
    })
  })
})

suite('a completion', () => {
  test('answers with the call, and again with the same call', async () => {
    const { gateway: resting } = await sharedGateway({ COMPLETION_GRACE_SECONDS: '3600' })
    await sendPacket(resting.url, 'twice', 1)
    const first = await completeCall(resting.url, 'twice')
    assert.equal(first.status, 200)
    assertCall(first.body, callKeys)
    assert.equal(first.body.status, 'COMPLETED')
    assert.equal(first.body.total_packets, 1)
    assert.notEqual(first.body.completed_at, null)
    assert.deepEqual(await completeCall(resting.url, 'twice'), first)
  })

  test('answers with the call also when its analysis is over', async () => {
    await sendPacket(url, 'archived', 1)
    const first = await completeCall(url, 'archived')
    await ended(url, 'archived', 'ARCHIVED')
    const again = await completeCall(url, 'archived')
    assert.equal(again.status, 200)
    assertCall(again.body, callKeys)
    assert.equal(again.body.status, 'ARCHIVED')
    assert.equal(again.body.completed_at, first.body.completed_at)
  })

  test('of a call that nobody knows is a 404, and creates none', async () => {
    const expected = {
      status: 404,
      body: { detail: 'Call never not found', code: 'call_not_found' },
    }
    assert.deepEqual(await completeCall(url, 'never'), expected)
    assert.deepEqual(await getCall(url, 'never'), expected)
  })

  test('of a call that has failed is a 400 that says so', async () => {
    await sendPacket(failing.url, 'failed', 1)
    await completeCall(failing.url, 'failed')
    const call = await ended(failing.url, 'failed', 'FAILED')
    assert.equal(call.error_message, 'mock: 503 Service Unavailable')
    assert.equal(call.ai_processing_attempts, 1)
    assert.equal(call.transcription, null)
    assert.deepEqual(await completeCall(failing.url, 'failed'), {
      status: 400,
      body: {
        detail: 'Cannot complete call in status FAILED',
        code: 'call_not_completable',
      },
    })
    assert.deepEqual(await ended(failing.url, 'failed', 'FAILED'), call)
  })

  const bodies: readonly (readonly [type: string, body: string])[] = [
    ['application/json', '{}'],
    ['application/json', '{{{'],
    ['text/plain', 'done'],
    ['application/octet-stream', '\0'.repeat(2 ** 21)],
  ]
  for (const [index, [type, body]] of bodies.entries())
    test(`does not read a body: ${type} of ${body.length} bytes is the same to it`, async () => {
      await sendPacket(url, `body-${index}`, 1)
      const response = await fetch(`${url}/v1/call/complete/body-${index}`, {
        method: 'POST',
        headers: { 'content-type': type },
        body,
      })
      assert.equal(response.status, 200)
      assert.equal(((await response.json()) as Body).call_id, `body-${index}`)
    })
})
