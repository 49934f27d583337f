import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { completeCall, getCall, post, sendPacket } from '../support/gateway.ts'
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

suite('the history', () => {
  async function history(gatewayUrl: string, query = ''): Promise<Body & { calls: Body[] }> {
    const response = await fetch(`${gatewayUrl}/v1/call/history${query}`)
    assert.equal(response.status, 200)
    return (await response.json()) as Body & { calls: Body[] }
  }

  test('lists calls newest first, counts them truly, and pages on by a cursor', async () => {
    const { gateway: own } = await sharedGateway()
    assert.deepEqual(await history(own.url), { calls: [], total: 0, cursor: null })
    const ids = Array.from({ length: 7 }, (_, index) => `call-${index}`)
    for (const id of ids) await sendPacket(own.url, id, 1)

    const all = await history(own.url)
    assert.deepEqual(Object.keys(all), ['calls', 'total', 'cursor'])
    for (const call of all.calls) assert.deepEqual(Object.keys(call), callKeys)
    assert.deepEqual(
      all.calls.map((call) => call.call_id),
      ids.toReversed(),
    )
    assert.deepEqual([all.total, all.cursor], [7, null])

    const paged: unknown[] = []
    let query = '?limit=3'
    for (let pages = 0; pages < 3; pages += 1) {
      const page = await history(own.url, query)
      assert.equal(page.total, 7 + pages)
      assert.equal(page.calls.length, pages < 2 ? 3 : 1)
      paged.push(...page.calls.map((call) => call.call_id))
      // A call that comes meanwhile moves no other from one page to the next.
      await sendPacket(own.url, `newer-${pages}`, 1)
      query = `?limit=3&cursor=${page.cursor}`
      if (pages === 2) assert.equal(page.cursor, null)
    }
    assert.deepEqual(paged, ids.toReversed())
  })

  test('lists the calls of one status, and counts those', async () => {
    for (const id of ['f-1', 'f-2']) {
      await sendPacket(failing.url, id, 1)
      await completeCall(failing.url, id)
      await until('the failure', async () => {
        const { body } = await getCall(failing.url, id)
        return body.status === 'FAILED'
      })
    }
    await sendPacket(failing.url, 'f-live', 1)
    const live = await history(failing.url, '?status=IN_PROGRESS')
    assert.deepEqual([live.total, live.calls.map((call) => call.call_id)], [1, ['f-live']])
    const failed = await history(failing.url, '?status=FAILED&limit=1')
    assert.deepEqual(
      failed.calls.map((call) => call.call_id),
      ['f-2'],
    )
    assert.ok(Number(failed.total) >= 2)
    const none = await history(failing.url, '?status=PROCESSING_AI')
    assert.deepEqual(none, { calls: [], total: 0, cursor: null })
  })

  const refused: readonly (readonly [query: string, field: string])[] = [
    ['status=archived', 'status'],
    ['status=', 'status'],
    ['status=DELETED', 'status'],
    ['status=FAILED&status=ARCHIVED', 'status'],
    ['limit=0', 'limit'],
    ['limit=-1', 'limit'],
    ['limit=1001', 'limit'],
    ['limit=1.5', 'limit'],
    ['limit=all', 'limit'],
    ['limit=', 'limit'],
    ['limit=Infinity', 'limit'],
    ['limit=1e309', 'limit'],
    ['cursor=abc', 'cursor'],
    ['cursor=-1', 'cursor'],
    ['cursor=99999999999999999999', 'cursor'],
  ]
  for (const [query, field] of refused)
    test(`refuses ?${query} with a 422 that names ${field}`, async () => {
      const response = await fetch(`${url}/v1/call/history?${query}`)
      assert.equal(response.status, 422)
      const { detail } = (await response.json()) as { detail: { loc: unknown }[] }
      assert.deepEqual(detail[0]?.loc, ['query', field])
    })

  test('is no call: none can have that name', async () => {
    const packet = { sequence: 1, data: 'x', timestamp: 1 }
    for (const path of ['v1/call/stream', 'ingest', 'v1/call/complete'])
      assert.equal((await post(`${url}/${path}/history`, packet)).status, 422)
  })
})
