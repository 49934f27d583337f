// FreeSWITCH, message by message.
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { freeswitch } from '../../../src/intake/protocols/freeswitch.ts'
import { connectFake, type FakeConnection, stopTime } from '../../support/fake-peer.ts'

const fork = (query = '') => connectFake(freeswitch, { query })

/** Samples 1, 2, 3 … in little-endian: 0100 0200 0300 */
const samples = (count: number) =>
  Buffer.concat(
    Array.from({ length: count }, (_, index) => Buffer.from([(index + 1) & 255, (index + 1) >> 8])),
  )

const metadata = (more: object = {}) =>
  JSON.stringify({ callId: 'call-1', sampleRate: 16000, mixType: 'stereo', ...more })

function label({ starts }: FakeConnection): unknown {
  const [start] = starts
  return start && [start.callId, start.format.rate, ...start.channels]
}

suite('what the audio is', () => {
  test('stands in JSON metadata, and the audio follows as it comes', () => {
    const connection = fork()
    connection.receiver.text(metadata({ queue: 'sales' }))
    connection.receiver.binary(samples(4))
    connection.receiver.binary(samples(1))
    assert.deepEqual(connection.said, [
      ['start', 'call-1'],
      ['audio', '0100020003000400'],
      ['audio', '0100'],
    ])
    assert.deepEqual(connection.starts, [
      {
        callId: 'call-1',
        streamId: 'call-1',
        format: { encoding: 'L16', rate: 16_000 },
        channels: ['inbound', 'outbound'],
        loss: 'clock',
        metadata: { callId: 'call-1', sampleRate: 16000, mixType: 'stereo', queue: 'sales' },
      },
    ])
  })

  test('stands in the URL: then the audio waits for no text, and a later one is a note', () => {
    const connection = fork('rate=16k&mix=stereo&callId=call-2')
    connection.receiver.binary(samples(2))
    connection.receiver.text(metadata())
    assert.deepEqual(label(connection), ['call-2', 16_000, 'inbound', 'outbound'])
    assert.deepEqual(connection.said.slice(1), [
      ['audio', '01000200'],
      ['note', 'text', { text: metadata() }],
    ])
  })

  test('in the URL counts more than in the metadata', () => {
    const connection = fork('rate=8000&mix=mono&uuid=call-3&track=outbound')
    connection.receiver.text(metadata())
    assert.deepEqual(label(connection), ['call-3', 8_000, 'outbound'])
    assert.equal(connection.starts[0]?.metadata?.callId, 'call-1')
  })

  for (const [query, told, expected] of [
    ['', { mixType: 'mono' }, ['inbound']],
    ['', { mixType: 'mono', track: 'outbound' }, ['outbound']],
    ['', { mixType: 'mixed' }, ['mixed']],
    ['', { mixType: 'stereo' }, ['inbound', 'outbound']],
    ['', { mixType: 'stereo', track: 'inbound' }, ['inbound', 'outbound']],
    ['', { mixType: 'stereo', track: 'outbound' }, ['outbound', 'inbound']],
    ['mix=mixed&track=inbound', {}, ['inbound']],
  ] as const)
    test(`${query}${JSON.stringify(told)} is ${expected.join(', ')}`, () => {
      const connection = fork(query)
      connection.receiver.text(metadata(told))
      assert.deepEqual(connection.starts[0]?.channels, expected)
    })

  test('the id of the call may be called callId, call_id or uuid', () => {
    for (const name of ['callId', 'call_id', 'uuid']) {
      const connection = fork()
      connection.receiver.text(JSON.stringify({ [name]: 'call-4' }))
      assert.equal(connection.starts[0]?.callId, 'call-4')
    }
  })
})

suite('audio without metadata', () => {
  test('waits, and is labelled by metadata that come within a second', () => {
    using time = stopTime()
    const connection = fork()
    connection.receiver.binary(samples(1))
    time.pass(999)
    connection.receiver.binary(samples(2))
    assert.equal(connection.keptBytes(), 6)
    connection.receiver.text(metadata())
    connection.receiver.binary(samples(1))
    time.pass(5_000)
    assert.deepEqual(label(connection), ['call-1', 16_000, 'inbound', 'outbound'])
    assert.deepEqual(connection.audio(), Buffer.concat([samples(1), samples(2), samples(1)]))
    assert.equal(connection.starts.length, 1)
  })

  test('is after a second what the modules send by default, and people can see that nobody said so', () => {
    using time = stopTime()
    const connection = fork('callId=call-5')
    connection.receiver.binary(samples(3))
    time.pass(999)
    assert.equal(connection.starts.length, 0)
    time.pass(1)
    assert.deepEqual(label(connection), ['call-5', 8_000, 'inbound'])
    assert.deepEqual(connection.said.slice(1), [
      ['audio', '010002000300'],
      ['note', 'assumed', { rate: 8_000, mix: 'mono' }],
    ])
  })

  test('of a call without an id gets one of its own', () => {
    const [one, other] = [fork('rate=8000&mix=mono'), fork('rate=8000&mix=mono')]
    for (const { receiver } of [one, other]) {
      receiver.binary(samples(1))
      receiver.closed?.()
    }
    assert.match(one.starts[0]?.callId ?? '', /^freeswitch-[0-9a-f-]{36}$/)
    assert.notEqual(one.starts[0]?.callId, other.starts[0]?.callId)
    assert.deepEqual(one.said.at(-1), ['note', 'assumed', { call_id: one.starts[0]?.callId }])
  })

  test('is not lost with a connection that ends before the second is over', () => {
    using time = stopTime()
    const connection = fork('callId=call-6')
    connection.receiver.binary(samples(2))
    connection.receiver.closed?.()
    time.pass(5_000)
    connection.receiver.closed?.()
    assert.deepEqual(connection.audio(), samples(2))
    assert.equal(connection.starts.length, 1)
  })

  test('does not wait when there is much of it', () => {
    using time = stopTime()
    const connection = fork('callId=call-7')
    connection.receiver.binary(Buffer.alloc(255_998))
    assert.equal(connection.starts.length, 0)
    connection.receiver.binary(Buffer.alloc(2))
    assert.equal(connection.audio().length, 256_000)
    time.pass(5_000)
    assert.equal(connection.starts.length, 1)
  })

  test('is kept as what it is by default when the metadata are refused', () => {
    const connection = fork('callId=call-8')
    connection.receiver.binary(samples(2))
    assert.throws(() => connection.receiver.text(metadata({ mixType: 'surround' })))
    connection.receiver.closed?.()
    assert.deepEqual(connection.audio(), samples(2))
  })

  test('a connection on which nothing came begins no call', () => {
    const connection = fork()
    connection.receiver.closed?.()
    assert.deepEqual(connection.said, [])
  })
})

suite('the end', () => {
  test('is asked for by an empty message: the call is over, and the gateway closes', () => {
    const connection = fork()
    connection.receiver.text(metadata())
    connection.receiver.binary(samples(1))
    connection.receiver.binary(Buffer.alloc(0))
    connection.receiver.binary(samples(9))
    connection.receiver.text('late')
    assert.deepEqual(connection.said.slice(2), [['stopped'], ['close', 'The call is over']])
  })

  test('of audio that still waits comes after that audio', () => {
    const connection = fork('callId=call-9')
    connection.receiver.binary(samples(1))
    connection.receiver.binary(Buffer.alloc(0))
    assert.deepEqual(
      connection.said.map(([word]) => word),
      ['start', 'audio', 'note', 'stopped', 'close'],
    )
  })

  test('of nothing is only closed', () => {
    const connection = fork()
    connection.receiver.binary(Buffer.alloc(0))
    assert.deepEqual(connection.said, [['close', 'The call is over']])
  })
})

suite('texts', () => {
  for (const [text, expected] of [
    [{ event: 'dtmf', dtmf: '2', duration: '1600' }, [['dtmf', '2', { duration: '1600' }]]],
    [
      { type: 'dtmf', digits: '3#' },
      [
        ['dtmf', '3', {}],
        ['dtmf', '#', {}],
      ],
    ],
    [{ event: 'dtmf', digit: 'a', duration: 100 }, [['dtmf', 'A', { duration: 100 }]]],
    [{ event: 'dtmf', digit: 'x' }, [['note', 'text', { text: '{"event":"dtmf","digit":"x"}' }]]],
    [{ dtmf: '2' }, [['note', 'text', { text: '{"dtmf":"2"}' }]]],
    ['agent spoke', [['note', 'text', { text: 'agent spoke' }]]],
    ['NUL \0, half a pair \ud83d', [['note', 'text', { text: 'NUL \ufffd, half a pair \ufffd' }]]],
    ['x'.repeat(60_000), [['note', 'text', { text: 'x'.repeat(1_000) }]]],
  ] as const)
    test(`${JSON.stringify(text).slice(0, 40)} is heard after the metadata`, () => {
      const connection = fork()
      connection.receiver.text(metadata())
      connection.receiver.text(typeof text === 'string' ? text : JSON.stringify(text))
      assert.deepEqual(connection.said.slice(1), expected)
    })

  test('that are no metadata are heard even when they come first', () => {
    for (const [text, expected] of [
      ['agent spoke', ['note', 'text', { text: 'agent spoke' }]],
      ['[1]', ['note', 'text', { text: '[1]' }]],
      ['{"event":"dtmf","dtmf":"2"}', ['dtmf', '2', {}]],
    ] as const) {
      const connection = fork('rate=8000&mix=mono&callId=call-10')
      connection.receiver.text(text)
      assert.deepEqual(connection.said.slice(1), [expected])
    }
  })
})
