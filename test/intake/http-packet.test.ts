import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { completeCall, getCall, post, sendPacket } from '../support/gateway.ts'
import { sharedGateway } from '../support/shared-gateway.ts'
import { storedPackets } from '../support/stored-packets.ts'
import { until } from '../support/until.ts'

const { gateway, database } = await sharedGateway()
// A call of this gateway can still take packets after its completion.
const { gateway: patient } = await sharedGateway({ COMPLETION_GRACE_SECONDS: '3600' })
const { url } = gateway
const time = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/

function warningsOf(callId: string): Record<string, unknown>[] {
  return gateway.log.filter(({ level, call_id }) => level === 'warn' && call_id === callId)
}

suite('the reply', () => {
  test('202 has exactly the fields of the contract', async () => {
    const { status, body } = await sendPacket(url, 'fields', 1)
    assert.equal(status, 202)
    const { received_at: receivedAt, ...rest } = body
    assert.match(String(receivedAt), time)
    assert.deepEqual(rest, {
      call_id: 'fields',
      sequence: 1,
      status: 'accepted',
      message: 'Packet 1 received successfully',
      duplicate: false,
      late: false,
      missing_packets: '',
    })
  })

  test('a packet that opens a gap is warned of, with the numbers that are missing', async () => {
    await sendPacket(url, 'gap', 0)
    const { status, body } = await sendPacket(url, 'gap', 4)
    assert.equal(status, 202)
    assert.equal(body.status, 'accepted_with_warning')
    assert.equal(body.message, 'Packet 4 received successfully')
    assert.equal(body.missing_packets, '1,2,3')
    assert.deepEqual([body.duplicate, body.late], [false, false])
  })

  test('a late packet is warned of, counted, and no longer missing', async () => {
    for (const sequence of [1, 4]) await sendPacket(url, 'late', sequence)
    const { status, body } = await sendPacket(url, 'late', 2)
    assert.deepEqual(
      [status, body.status, body.duplicate, body.late, body.missing_packets],
      [202, 'accepted_with_warning', false, true, '3'],
    )
    assert.equal((await getCall(url, 'late')).body.total_packets, 3)
  })

  test('a duplicate is warned of and not counted, and the first one stays', async () => {
    await sendPacket(url, 'twice', 1, 'the first')
    const { status, body } = await sendPacket(url, 'twice', 1, 'the second')
    assert.deepEqual(
      [status, body.status, body.duplicate, body.late, body.missing_packets],
      [202, 'accepted_with_warning', true, false, ''],
    )
    assert.equal((await getCall(url, 'twice')).body.total_packets, 1)
    const stored = await storedPackets(database.pool, 'twice')
    assert.deepEqual(
      stored.map(({ data }) => data.toString()),
      ['the first'],
    )
  })

  test('POST /ingest answers 200 with exactly {"status":"accepted"}, whatever the packet', async () => {
    for (const sequence of [1, 5, 5, 2]) {
      const response = await fetch(`${url}/ingest/older`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ sequence, data: 'audio_chunk_1', timestamp: 1 }),
      })
      assert.equal(response.status, 200)
      assert.equal(await response.text(), '{"status":"accepted"}')
    }
    const { body } = await getCall(url, 'older')
    assert.deepEqual([body.total_packets, body.missing_packets], [3, '3,4'])
  })

  test('POST /ingest refuses what the other route refuses, in the same words', async () => {
    const wrong = { sequence: 'abc', data: '', timestamp: -1 }
    const older = await post(`${url}/ingest/refused`, wrong)
    assert.equal(older.status, 422)
    assert.deepEqual(older, await post(`${url}/v1/call/stream/refused`, wrong))
  })
})

suite('the base of a call', () => {
  const cases: readonly (readonly [sequences: number[], missing: string])[] = [
    [[0, 4], '1,2,3'],
    [[1, 2], ''],
    [[2], '1'],
    [[2, 0], '1'],
    [[4, 1, 0], '2,3'],
    [[1, 13], '2-12'],
    [[1, 12], '2,3,4,5,6,7,8,9,10,11'],
  ]
  for (const [index, [sequences, missing]] of cases.entries())
    test(`of ${sequences.join(', ')} the packets “${missing}” are missing`, async () => {
      let last: Record<string, unknown> = {}
      for (const sequence of sequences)
        last = (await sendPacket(url, `base-${index}`, sequence)).body
      assert.equal(last.missing_packets, missing)
      assert.equal((await getCall(url, `base-${index}`)).body.missing_packets, missing)
    })
})

suite('the log', () => {
  test('has one structured warning for each irregular packet and none for the others', async () => {
    for (const sequence of [1, 2, 5, 3, 3, 6]) await sendPacket(url, 'logged', sequence)
    const common = { level: 'warn', call_id: 'logged', track: 'mixed' }
    const lines = await until('three warnings', () => {
      const found = warningsOf('logged')
      return found.length >= 3 && found
    })
    assert.deepEqual(
      lines.map(({ time: _time, pid: _pid, ...line }) => line),
      [
        { sequence: 5, duplicate: false, late: false, missing_packets: '3,4' },
        { sequence: 3, duplicate: false, late: true, missing_packets: '4' },
        { sequence: 3, duplicate: true, late: false, missing_packets: '4' },
      ].map((line, index) => ({
        ...common,
        ...line,
        msg: ['packet opens a gap', 'packet is late', 'packet is a duplicate'][index],
      })),
    )
  })

  test('never holds what a packet carries', async () => {
    for (const sequence of [1, 3, 3]) await sendPacket(url, 'private', sequence, 'it is a zyzzyva')
    await until('the warnings', () => warningsOf('private').length === 2)
    assert.ok(!JSON.stringify(gateway.log).includes('zyzzyva'))
  })
})

suite('tracks', () => {
  const body = (sequence: number) => ({ sequence, data: 'x', timestamp: 1 })

  test('?track= keeps an account for each voice', async () => {
    const stream = `${url}/v1/call/stream/voices`
    await post(`${stream}?track=inbound`, body(1))
    const other = await post(`${stream}?track=outbound`, body(1))
    assert.deepEqual([other.status, other.body.duplicate], [202, false])
    const gap = await post(`${stream}?track=inbound`, body(3))
    assert.equal(gap.body.missing_packets, '2')
    const regular = await post(`${stream}?track=outbound`, body(2))
    assert.deepEqual([regular.body.status, regular.body.missing_packets], ['accepted', ''])
    const call = (await getCall(url, 'voices')).body
    assert.deepEqual([call.total_packets, call.missing_packets], [4, '2'])
  })

  test('without it, a packet belongs to the mixed track', async () => {
    await post(`${url}/v1/call/stream/one-voice`, body(1))
    const again = await post(`${url}/v1/call/stream/one-voice?track=mixed`, body(1))
    assert.equal(again.body.duplicate, true)
  })

  for (const query of ['track=agent', 'track=', 'track=INBOUND', 'track=inbound&track=outbound'])
    test(`?${query} is refused and nothing stored`, async () => {
      const { status, body: reply } = await post(`${url}/v1/call/stream/no-voice?${query}`, body(1))
      assert.equal(status, 422)
      const [problem] = reply.detail as { loc: unknown }[]
      assert.deepEqual(problem?.loc, ['query', 'track'])
      assert.equal((await getCall(url, 'no-voice')).status, 404)
    })
})

suite('after the completion', () => {
  test('packets still count while the analysis has not begun', async () => {
    await sendPacket(patient.url, 'grace', 1)
    assert.equal((await completeCall(patient.url, 'grace')).status, 200)
    const { status, body } = await sendPacket(patient.url, 'grace', 2)
    assert.deepEqual([status, body.status], [202, 'accepted'])
    assert.equal((await getCall(patient.url, 'grace')).body.total_packets, 2)
  })

  test('a packet is refused with the reason, and not stored, once the analysis has begun', async () => {
    await sendPacket(url, 'sealed', 1)
    await completeCall(url, 'sealed')
    await until('the result', async () => (await getCall(url, 'sealed')).body.transcription)
    assert.deepEqual(await sendPacket(url, 'sealed', 2), {
      status: 409,
      body: {
        detail: 'The analysis of call sealed has begun; packet 2 was not stored',
        code: 'call_sealed',
      },
    })
    assert.equal((await getCall(url, 'sealed')).body.total_packets, 1)
    assert.equal((await storedPackets(database.pool, 'sealed')).length, 1)
  })

  test('a repeat of a stored packet is acknowledged even then: its sender did not hear', async () => {
    await sendPacket(url, 'repeat', 1)
    await completeCall(url, 'repeat')
    await until('the result', async () => (await getCall(url, 'repeat')).body.transcription)
    const { status, body } = await sendPacket(url, 'repeat', 1)
    assert.deepEqual([status, body.duplicate], [202, true])
  })
})
