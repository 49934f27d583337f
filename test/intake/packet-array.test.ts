// Packets as a JSON array: the answers are those of lines, but the places count from 0.
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { completeCall, getCall, post, sendPacket } from '../support/gateway.ts'
import { lineOf } from '../support/line-stream.ts'
import { sharedGateway } from '../support/shared-gateway.ts'
import { storedPackets } from '../support/stored-packets.ts'
import { until } from '../support/until.ts'

const { gateway, database } = await sharedGateway()
const { url } = gateway
const limit = 2 ** 20

function postArray(callId: string, ...packets: readonly string[]) {
  return post(`${url}/v1/call/stream/${callId}`, `[${packets.join()}]`)
}

suite('an array of packets', () => {
  test('is answered with counts', async () => {
    await sendPacket(url, 'counts', 4)
    const packets = [1, 1, 2, 9].map((sequence) => lineOf(sequence))
    const { status, body } = await postArray('counts', ...packets)
    assert.equal(status, 202)
    const { received_at: receivedAt, ...rest } = body
    assert.ok(!Number.isNaN(Date.parse(String(receivedAt))))
    assert.deepEqual(rest, {
      call_id: 'counts',
      status: 'accepted_with_warning',
      packets: 4,
      accepted: 3,
      duplicates: 1,
      late: 2,
      refused: 0,
      missing_packets: '3,5,6,7,8',
    })
  })

  test('may be empty: nothing is stored, and that is all right', async () => {
    const { status, body } = await postArray('empty')
    assert.deepEqual([status, body.status, body.packets], [202, 'accepted', 0])
    assert.equal((await getCall(url, 'empty')).status, 404)
  })

  test('is stored in its order, each packet on its track', async () => {
    await post(
      `${url}/v1/call/stream/tracks?track=inbound`,
      `[${lineOf(1)},${lineOf(2, { track: 'outbound' })}]`,
    )
    const stored = await storedPackets(database.pool, 'tracks')
    assert.deepEqual(
      stored.map(({ track, sequence, data }) => [track, sequence, String(data)]),
      [
        ['inbound', 1, 'packet 1'],
        ['outbound', 2, 'packet 2'],
      ],
    )
  })

  test('with items that are no packets is 422 with their places, and the others are stored', async () => {
    const items = [lineOf(1), 'null', lineOf('2'), lineOf(3, { call_id: 'other' }), '[]', lineOf(4)]
    const { status, body } = await postArray('wrong', ...items)
    assert.equal(status, 422)
    const problems = body.detail as { loc: unknown; type: string; input: unknown }[]
    assert.deepEqual(
      problems.map(({ loc, type, input }) => [loc, type, input]),
      [
        [['body', 1], 'missing', null],
        [['body', 2, 'sequence'], 'int_type', '2'],
        [['body', 3, 'call_id'], 'value_error', 'other'],
        [['body', 4], 'model_attributes_type', 'an array of 0'],
      ],
    )
    assert.deepEqual([body.packets, body.accepted, body.refused], [6, 2, 4])
    const stored = await storedPackets(database.pool, 'wrong')
    assert.deepEqual(
      stored.map(({ sequence }) => sequence),
      [1, 4],
    )
    assert.equal((await getCall(url, 'other')).status, 404)
  })

  test('tells the first hundred of its problems', async () => {
    const { body } = await postArray('hundred', ...Array.from({ length: 300 }, () => '0'))
    assert.equal((body.detail as unknown[]).length, 100)
    assert.equal(body.refused, 300)
  })

  test('of as many packets as go into 1 MiB is stored whole; a byte more is 413', async () => {
    const one = lineOf(1).length + 1
    const packets = Array.from({ length: Math.floor(limit / (one + 14)) }, (_, index) =>
      lineOf(index),
    )
    const body = `[${packets.join()}]`.padEnd(limit)
    assert.equal(body.length, limit)
    const stored = await post(`${url}/v1/call/stream/large`, body)
    assert.deepEqual([stored.status, stored.body.accepted], [202, packets.length])
    assert.equal((await getCall(url, 'large')).body.total_packets, packets.length)
    const { status, body: refusal } = await post(`${url}/v1/call/stream/larger`, `${body} `)
    assert.deepEqual([status, refusal.code], [413, 'payload_too_large'])
    assert.equal((await getCall(url, 'larger')).status, 404)
  })

  test('for a call whose analysis has begun is 409 with counts; what was stored is acknowledged', async () => {
    await sendPacket(url, 'sealed', 1)
    await completeCall(url, 'sealed')
    await until('the result', async () => (await getCall(url, 'sealed')).body.transcription)
    const { status, body } = await postArray('sealed', lineOf(1), lineOf(2), lineOf(3))
    assert.deepEqual([status, body.code], [409, 'call_sealed'])
    assert.deepEqual([body.packets, body.duplicates, body.accepted, body.refused], [3, 1, 0, 2])
    assert.equal((await storedPackets(database.pool, 'sealed')).length, 1)
  })

  test('is nothing for the older route', async () => {
    const { status } = await post(`${url}/ingest/older`, `[${lineOf(1)}]`)
    assert.equal(status, 422)
    assert.equal((await getCall(url, 'older')).status, 404)
  })
})
