// Packets as lines: what a stream that ends comes to. How streams flow and break is in ndjson-flow.test.ts.
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { getCall, sendPacket } from '../support/gateway.ts'
import { lineOf, openLines, postLines } from '../support/line-stream.ts'
import { assertRefusal } from '../support/refusal.ts'
import { sharedGateway } from '../support/shared-gateway.ts'
import { storedPackets } from '../support/stored-packets.ts'

const { gateway, database } = await sharedGateway()
const { url } = gateway
const longestLine = 2 ** 20

const lines = (...sequences: unknown[]) => sequences.map((one) => `${lineOf(one)}\n`).join('')

async function sequencesOf(callId: string, track = 'mixed'): Promise<number[]> {
  const stored = await storedPackets(database.pool, callId)
  return stored.filter((packet) => packet.track === track).map(({ sequence }) => sequence)
}

/** The problems of an answer: the place and the type of each. */
function problemsOf({ body }: { readonly body: Readonly<Record<string, unknown>> }) {
  const detail = body.detail as { loc: unknown; type: string }[]
  return detail.map(({ loc, type }) => [loc, type])
}

suite('the answer', () => {
  test('has exactly the fields of the documentation', async () => {
    const { status, headers, body } = await postLines(url, 'fields', lines(1, 2))
    assert.equal(status, 202)
    assert.equal(headers['content-type'], 'application/json; charset=utf-8')
    const { received_at: receivedAt, ...rest } = body
    assert.match(String(receivedAt), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
    assert.deepEqual(rest, {
      call_id: 'fields',
      status: 'accepted',
      packets: 2,
      accepted: 2,
      duplicates: 0,
      late: 0,
      refused: 0,
      missing_packets: '',
    })
    const stored = await storedPackets(database.pool, 'fields')
    assert.deepEqual(
      stored.map(({ sequence, timestamp, data }) => [sequence, timestamp, String(data)]),
      [
        [1, 1, 'packet 1'],
        [2, 1, 'packet 2'],
      ],
    )
  })

  test('counts duplicates, those of the stream itself as well, and late packets', async () => {
    await sendPacket(url, 'counts', 1)
    const { status, body } = await postLines(url, 'counts', lines(1, 5, 5, 3, 2, 9))
    assert.equal(status, 202)
    assert.deepEqual(
      [body.status, body.packets, body.accepted, body.duplicates, body.late, body.refused],
      ['accepted_with_warning', 6, 4, 2, 2, 0],
    )
    assert.equal(body.missing_packets, '4,6,7,8')
    assert.equal((await getCall(url, 'counts')).body.total_packets, 5)
  })

  test('to the same stream once more says that all of it was stored before', async () => {
    await postLines(url, 'again', lines(1, 2, 3))
    const { status, body } = await postLines(url, 'again', lines(1, 2, 3))
    assert.deepEqual([status, body.accepted, body.duplicates, body.packets], [202, 0, 3, 3])
    assert.deepEqual(await sequencesOf('again'), [1, 2, 3])
  })

  test('to no lines at all is 202 with zeros, and there is no call', async () => {
    for (const nothing of ['', '\n', '\r\n \t\n\n']) {
      const { status, body } = await postLines(url, 'nothing', nothing)
      assert.deepEqual([status, body.packets, body.accepted], [202, 0, 0])
    }
    assert.equal((await getCall(url, 'nothing')).status, 404)
  })
})

suite('a line', () => {
  test('is one however the bytes of the stream are cut', async () => {
    using stream = openLines(url, 'bytes')
    const text = Buffer.from(`${lineOf(1, { data: '☎️ é' })}\n\r\n${lineOf(2)}\r\n${lineOf(3)}`)
    for (const byte of text) await stream.write(Buffer.of(byte))
    const { status, body } = await stream.end()
    assert.deepEqual([status, body.accepted], [202, 3])
    const [first] = await storedPackets(database.pool, 'bytes')
    assert.equal(String(first?.data), '☎️ é')
  })

  test('may end in \\r\\n, be empty, or be the last without an end', async () => {
    const text = `\n${lineOf(1)}\r\n\r\n  \n${lineOf(2)}\n\n${lineOf(3)}`
    const { status, body } = await postLines(url, 'ends', text)
    assert.deepEqual([status, body.packets, body.accepted], [202, 3, 3])
    assert.deepEqual(await sequencesOf('ends'), [1, 2, 3])
  })

  test('may name its track, else the one of the path counts, else mixed', async () => {
    const text = [lineOf(1), lineOf(2, { track: 'inbound' }), lineOf(3, { track: 'mixed' })]
    await postLines(url, 'tracks', text.join('\n'))
    await postLines(url, 'tracks', text.join('\n'), { query: '?track=outbound' })
    assert.deepEqual(await sequencesOf('tracks'), [1, 3])
    assert.deepEqual(await sequencesOf('tracks', 'inbound'), [2])
    assert.deepEqual(await sequencesOf('tracks', 'outbound'), [1])
  })

  test('may name its call; one that names another is refused, and stored nowhere', async () => {
    const text = [lineOf(1, { call_id: 'mine' }), lineOf(2, { call_id: 'yours' }), lineOf(3)]
    const answer = await postLines(url, 'mine', text.join('\n'))
    assert.equal(answer.status, 422)
    assert.deepEqual(problemsOf(answer), [[['body', 2, 'call_id'], 'value_error']])
    assert.deepEqual(await sequencesOf('mine'), [1, 3])
    assert.equal((await getCall(url, 'yours')).status, 404)
  })

  test('that is no packet is told with its number, counted from 1, and the others are stored', async () => {
    const text = [
      lineOf(1),
      '{"sequence":2,"data":oops}',
      '',
      lineOf('3'),
      '[]',
      lineOf(4, { track: 'both' }),
      `${'['.repeat(65)}${']'.repeat(65)}`,
      '{"sequence":5}',
      lineOf(6),
    ]
    const answer = await postLines(url, 'wrong', text.join('\n'))
    assert.equal(answer.status, 422)
    assert.deepEqual(problemsOf(answer), [
      [['body', 2, 21], 'json_invalid'],
      [['body', 4, 'sequence'], 'int_type'],
      [['body', 5], 'model_attributes_type'],
      [['body', 6, 'track'], 'enum'],
      [['body', 7, 64], 'json_invalid'],
      [['body', 8, 'data'], 'missing'],
      [['body', 8, 'timestamp'], 'missing'],
    ])
    const { packets, accepted, refused, status } = answer.body
    assert.deepEqual([packets, accepted, refused, status], [8, 2, 6, 'accepted_with_warning'])
    assert.deepEqual(await sequencesOf('wrong'), [1, 6])
  })

  test('that is no UTF-8 is no packet', async () => {
    const text = Buffer.concat([
      Buffer.from(`${lineOf(1)}\n{"sequence":2,"timestamp":1,"data":"`),
      Buffer.of(0xff, 0xfe),
      Buffer.from(`"}\n${lineOf(3)}\n`),
    ])
    const answer = await postLines(url, 'utf8', text)
    assert.deepEqual(problemsOf(answer), [[['body', 2, 0], 'json_invalid']])
    assert.deepEqual(await sequencesOf('utf8'), [1, 3])
  })

  test('may have 1 MiB; a longer one is skipped and told, at its end as well', async () => {
    const whole = lineOf(1).padEnd(longestLine)
    const text = `${whole}\n${whole} \n${lineOf(3)}\n${'x'.repeat(3 * longestLine)}\n${lineOf(5)}\n${whole} `
    const answer = await postLines(url, 'long', text)
    assert.equal(answer.status, 422)
    assert.deepEqual(
      problemsOf(answer),
      [2, 4, 6].map((line) => [['body', line], 'line_too_long']),
    )
    assert.deepEqual([answer.body.accepted, answer.body.refused], [3, 3])
    assert.deepEqual(await sequencesOf('long'), [1, 3, 5])
  })

  test('is told of when it is one of the first hundred that are wrong; all are counted', async () => {
    const wrong = Array.from({ length: 150 }, () => '{}')
    const answer = await postLines(url, 'hundred', `${wrong.join('\n')}\n${lineOf(1)}`)
    const problems = problemsOf(answer)
    assert.equal(problems.length, 100)
    assert.deepEqual(problems.at(-1), [['body', 34, 'sequence'], 'missing'])
    assert.deepEqual([answer.body.refused, answer.body.accepted], [150, 1])
  })
})

suite('the request', () => {
  const packet = lineOf(1)
  const types = ['application/x-ndjson; charset=utf-8', 'Application/X-NDJSON']
  for (const type of types)
    test(`may say ${type}`, async () => {
      const answer = await postLines(url, 'types', packet, { headers: { 'content-type': type } })
      assert.equal(answer.status, 202)
    })

  test('may say its length, beyond the limit of other bodies', async () => {
    const text = `${lineOf(1, { data: 'x'.repeat(longestLine - 100) })}\n`.repeat(3)
    const headers = { 'content-length': String(text.length) }
    const { status, body } = await postLines(url, 'length', text, { headers })
    assert.deepEqual([status, body.accepted, body.duplicates], [202, 1, 2])
  })

  const refused: readonly (readonly [
    what: string,
    status: number,
    headers: object,
    path: string,
  ])[] = [
    ['in gzip', 415, { 'content-encoding': 'gzip' }, 'gzip'],
    ['of another type', 415, { 'content-type': 'application/ndjson' }, 'other-type'],
    ['of a call that cannot be', 422, {}, '_'],
    ['of a track that is none', 422, {}, 'no-track?track=both'],
  ]
  for (const [what, status, headers, path] of refused)
    test(`${what} is refused with ${status}, and nothing is stored`, async () => {
      const body = what === 'in gzip' ? gzipSync(packet) : packet
      const answer = await postLines(url, path, body, { headers: { ...headers } })
      assertRefusal(
        { status: answer.status, headers: '', body: JSON.stringify(answer.body) },
        status,
      )
      const [callId = ''] = path.split('?')
      assert.deepEqual(await sequencesOf(callId), [])
    })

  test('is of the newer route alone: the older one takes no lines', async () => {
    const response = await fetch(`${url}/ingest/older`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-ndjson' },
      body: packet,
    })
    assert.equal(response.status, 415)
  })
})

test('none of it is a defect in the log', () => {
  const defects = gateway.log.filter(({ level }) => level === 'error' || level === 'fatal')
  assert.deepEqual(defects, [])
})
