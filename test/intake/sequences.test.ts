// What a sequence number may be. The bodies are written by hand: JSON.stringify would tidy them up.
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { completeCall, getCall, post } from '../support/gateway.ts'
import { assertRefusal } from '../support/refusal.ts'
import { sharedGateway } from '../support/shared-gateway.ts'
import { storedPackets } from '../support/stored-packets.ts'
import { until } from '../support/until.ts'

const { gateway, database } = await sharedGateway()

function send(callId: string, sequence: string) {
  return post(
    `${gateway.url}/v1/call/stream/${callId}`,
    `{"sequence":${sequence},"data":"packet ${callId}","timestamp":1.5}`,
  )
}

const accepted: readonly (readonly [text: string, sequence: number])[] = [
  ['0', 0],
  ['1', 1],
  ['-0', 0],
  ['-0.0e5', 0],
  ['1.0', 1],
  ['1e0', 1],
  ['1E+3', 1000],
  ['1e3', 1000],
  ['1500e-2', 15],
  ['65536', 2 ** 16],
  ['2147483647', 2 ** 31 - 1],
  ['2147483648', 2 ** 31],
  ['4294967296', 2 ** 32],
  ['9007199254740990', 2 ** 53 - 2],
  ['9007199254740991', 2 ** 53 - 1],
]

suite('a sequence that is a whole number from 0 to 2^53-1', () => {
  for (const [index, [text, sequence]] of accepted.entries())
    test(`${text} is stored as ${sequence}`, async () => {
      const callId = `accepted-${index}`
      const { status, body } = await send(callId, text)
      assert.equal(status, 202, JSON.stringify(body))
      assert.equal(body.sequence, sequence)
      assert.equal(Object.is(body.sequence, -0), false)
      assert.equal(body.message, `Packet ${sequence} received successfully`)
      const stored = await storedPackets(database.pool, callId)
      assert.deepEqual(
        stored.map((packet) => [packet.sequence, packet.data.toString()]),
        [[sequence, `packet ${callId}`]],
      )
      assert.equal((await send(callId, text)).body.duplicate, true)
      assert.equal((await getCall(gateway.url, callId)).body.total_packets, 1)
    })

  test('-0 and 0 are one packet', async () => {
    await send('zero', '-0')
    assert.equal((await send('zero', '0')).body.duplicate, true)
  })
})

const refused: readonly string[] = [
  '-1',
  '-9007199254740991',
  '1.5',
  '0.1',
  '1e-1',
  '"1"',
  '""',
  '"abc"',
  'true',
  'false',
  'null',
  '[1]',
  '[]',
  '{}',
  '{"valueOf":1}',
  '9007199254740992',
  '9007199254740993',
  '18446744073709551616',
  '1e308',
  '1e999',
  '-1e999',
  // no JSON
  '01',
  '00',
  '+1',
  '.5',
  '1.',
  '1e',
  '0x10',
  '1_000',
  '1n',
  'NaN',
  'Infinity',
  'undefined',
  "'1'",
  '',
]

suite('any other sequence is refused, and nothing is stored', () => {
  for (const [index, text] of refused.entries())
    test(`${text || 'nothing'} is a 422`, async () => {
      const callId = `refused-${index}`
      const { status, body } = await send(callId, text)
      assertRefusal({ status, headers: '', body: JSON.stringify(body) }, 422)
      const [problem] = body.detail as { type: string; loc: unknown[] }[]
      assert.equal(problem?.loc[0], 'body')
      if (problem?.type !== 'json_invalid') assert.deepEqual(problem?.loc, ['body', 'sequence'])
      assert.equal((await getCall(gateway.url, callId)).status, 404)
    })

  test('a sequence that is not there is named as missing', async () => {
    const { status, body } = await post(`${gateway.url}/v1/call/stream/none`, {
      data: 'x',
      timestamp: 1,
    })
    assert.equal(status, 422)
    assert.deepEqual(body, {
      detail: [
        {
          type: 'missing',
          loc: ['body', 'sequence'],
          msg: 'Field required',
          input: 'an object',
        },
      ],
    })
  })

  test('what FastAPI clients read of {"sequence":"abc"}: type, loc, msg and input', async () => {
    const { body } = await send('shape', '"abc"')
    assert.deepEqual(body, {
      detail: [
        {
          type: 'int_type',
          loc: ['body', 'sequence'],
          msg: 'Input should be a whole number, not a text or anything else',
          input: 'abc',
        },
      ],
    })
  })
})

suite('a jump over billions of numbers', () => {
  test('costs one range, in the replies and in the database, and the call ends as any other', async () => {
    const expected: readonly (readonly [sequence: string, missing: string])[] = [
      ['1', ''],
      ['1000000000', '2-999999999'],
      ['9007199254740991', '2-999999999,1000000001-9007199254740990'],
      ['2', '3-999999999,1000000001-9007199254740990'],
      ['9007199254740990', '3-999999999,1000000001-9007199254740989'],
    ]
    for (const [sequence, missing] of expected) {
      const { status, body } = await send('jump', sequence)
      assert.deepEqual([status, body.missing_packets], [202, missing])
      assert.ok(JSON.stringify(body).length < 400)
    }
    const { body } = await getCall(gateway.url, 'jump')
    assert.equal(body.missing_packets, expected.at(-1)?.[1])
    assert.equal(body.missing_count, 9007199254740991 - 5)
    const { rows } = await database.pool.query<{ bytes: number }>(
      `SELECT pg_column_size(received) AS bytes FROM tracks
       WHERE call = (SELECT id FROM calls WHERE call_id = 'jump')`,
    )
    assert.ok((rows[0]?.bytes ?? Number.POSITIVE_INFINITY) < 200)
    await completeCall(gateway.url, 'jump')
    await until('the end of the call', async () => {
      const { body: call } = await getCall(gateway.url, 'jump')
      return call.status === 'ARCHIVED'
    })
  })
})

suite('timestamps', () => {
  const stream = (callId: string, timestamp: string) =>
    post(
      `${gateway.url}/v1/call/stream/${callId}`,
      `{"sequence":1,"data":"x","timestamp":${timestamp}}`,
    )

  const kept = ['1', '0.001', '1732147200.02', '1e308', '5e-324', '253402300799999']
  for (const [index, text] of kept.entries())
    test(`${text} is kept exactly`, async () => {
      assert.equal((await stream(`time-${index}`, text)).status, 202)
      const [packet] = await storedPackets(database.pool, `time-${index}`)
      assert.equal(packet?.timestamp, Number(text))
    })

  for (const text of ['0', '-0', '-1', '1e999', '-1e999', '"1"', 'null', 'true', '[1]', 'NaN'])
    test(`${text} is refused`, async () => {
      const { status, body } = await stream('no-time', text)
      assertRefusal({ status, headers: '', body: JSON.stringify(body) }, 422)
      assert.equal((await getCall(gateway.url, 'no-time')).status, 404)
    })
})
