// A stream on its way to the ledger: its numbers, its call, its room and its end.
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { bytesOf } from '../../../src/byte-range.ts'
import { GatewayError } from '../../../src/errors.ts'
import type { Packet } from '../../../src/ledger/packet.ts'
import { runOf } from '../../../src/ledger/packet-group.ts'
import { begin, frame, frameMs, fresh, receipt } from '../../support/played-stream.ts'

const payloadOf = ({ packet }: { readonly packet: Packet }) => bytesOf(packet)

suite('packets without numbers', () => {
  test('are numbered from 1 in order of arrival, with the time of their arrival', async () => {
    const { play, open, stored, handed } = begin()
    await open(fresh)
    play(3)
    assert.deepEqual(stored(), ['CALL mixed 1', 'CALL mixed 2', 'CALL mixed 3'])
    assert.deepEqual(
      handed.map(({ packet }) => packet.timestamp),
      [1_005.02, 1_005.04, 1_005.06],
    )
  })

  test('of two channels are a packet of each', async () => {
    const { stream, open, stored, handed } = begin({ channels: ['inbound', 'outbound'] })
    await open({ call_id: 'CALL', bases: [0, 7], quiet_ms: [null, null] })
    stream.audio(Buffer.from('AaBb'))
    assert.deepEqual(stored(), ['CALL inbound 1', 'CALL outbound 8'])
    assert.deepEqual(
      handed.map(({ packet }) => `${bytesOf(packet)}`),
      ['AB', 'ab'],
    )
  })

  test('wait while the database is asked, and none is lost or comes in another order', async () => {
    const { play, open, stored } = begin()
    play(100)
    assert.deepEqual(stored(), [])
    await open(fresh)
    play(1)
    assert.equal(stored().length, 101)
    assert.deepEqual(stored().at(-1), 'CALL mixed 101')
  })
})

suite('a call that comes back', () => {
  test('goes on with its numbers, after a silence from its last packet to its first', async () => {
    const { play, open, stored, told } = begin()
    await open({ call_id: 'CALL', bases: [50], quiet_ms: [3_000] })
    play(2)
    assert.deepEqual(stored(), ['CALL mixed 51', 'CALL mixed 52'])
    assert.deepEqual(told, ['reconnect 3000 ms before mixed 51'])
  })

  test('has the same silence when the database took its time to answer', async () => {
    const { play, open, told, time } = begin()
    play(100)
    time.now += 7
    await open({ call_id: 'CALL', bases: [50], quiet_ms: [5_007] })
    assert.deepEqual(told, ['reconnect 3000 ms before mixed 51'])
  })

  test('has a shorter silence, or none, when it sends what it kept meanwhile', async () => {
    const { stream, open, told, time } = begin({ channels: ['inbound', 'outbound'] })
    await open({ call_id: 'CALL', bases: [50, 50], quiet_ms: [1_000, 200] })
    const both = Buffer.alloc(2 * frame.length)
    time.now += frameMs
    for (let packet = 0; packet < 26; packet += 1) stream.audio(both)
    assert.deepEqual(told.splice(0), [
      'reconnect 1000 ms before inbound 51',
      'reconnect 200 ms before outbound 51',
    ])
    time.now += frameMs
    stream.audio(both)
    assert.deepEqual(told, [
      'only reconnect 500 ms before inbound 51',
      'only reconnect 0 ms before outbound 51',
    ])
  })

  test('has the same when it sent that before the database answered', async () => {
    const { stream, open, told, time } = begin()
    time.now += frameMs
    for (let packet = 0; packet < 26; packet += 1) stream.audio(frame)
    time.now += frameMs
    stream.audio(frame)
    await open({ call_id: 'CALL', bases: [50], quiet_ms: [1_040] })
    assert.deepEqual(told, ['reconnect 500 ms before mixed 51'])
  })

  test('has a silence of its own on each track', async () => {
    const { stream, open, told } = begin({ channels: ['inbound', 'outbound'] })
    await open({ call_id: 'CALL', bases: [4, 9], quiet_ms: [null, 800] })
    stream.audio(Buffer.alloc(320))
    assert.deepEqual(told, ['reconnect 780 ms before outbound 10'])
  })
})

suite('a call that is over before its stream', () => {
  const sealed = new GatewayError('call_sealed', 'over')

  test('goes on under a name of its own, with what was refused, counted from 1', async () => {
    const { play, open, settle, stored, told, stream, ended, handed } = begin()
    await open(fresh)
    play(2)
    await settle()
    play(2)
    await settle(sealed)
    play(1)
    await open({ call_id: 'CALL~2', bases: [0], quiet_ms: [null] })
    play(1)
    assert.deepEqual(
      stored(),
      [1, 2, 3, 4].map((sequence) => `CALL~2 mixed ${sequence}`),
    )
    assert.ok(handed.map(payloadOf).every((payload) => payload.equals(frame)))
    await settle()
    stream.stopped()
    await turn()
    assert.deepEqual(told, ['end stopped {}'])
    assert.equal(ended(), 1)
  })

  test('goes on from 1 on every track, also on those of which nothing was refused', async () => {
    const { stream, open, settle, stored, handed } = begin({
      channels: ['inbound', 'outbound'],
      loss: 'numbers',
    })
    await open({ call_id: 'CALL', bases: [0, 0], quiet_ms: [null, null] })
    stream.packet({ track: 'outbound', number: 40, at: 1, payload: frame })
    await settle()
    stream.packet({ track: 'inbound', number: 70, at: 1, payload: frame })
    await settle(sealed)
    await open({ call_id: 'CALL~2', bases: [0, 0], quiet_ms: [null, null] })
    stream.packet({ track: 'outbound', number: 41, at: 1, payload: frame })
    stream.packet({ track: 'outbound', number: 30, at: 1, payload: frame })
    assert.deepEqual(stored(), ['CALL~2 inbound 1', 'CALL~2 outbound 1'])
    assert.equal(handed.length, 2)
  })

  test('waits until all that is under way is settled', async () => {
    const { play, open, handed, stored } = begin()
    await open(fresh)
    play(2)
    const [one, other] = handed.splice(0)
    one?.sender.settled(runOf(one.packet), sealed)
    play(1)
    await open({ call_id: 'CALL~2', bases: [0], quiet_ms: [null] })
    assert.deepEqual(stored(), [])
    other?.sender.settled(runOf(other.packet), sealed)
    await open({ call_id: 'CALL~2', bases: [0], quiet_ms: [null] })
    assert.deepEqual(stored(), ['CALL~2 mixed 1', 'CALL~2 mixed 2', 'CALL~2 mixed 3'])
  })
})

suite('what there is no room for', () => {
  test('is a gap of its length, and all else is stored', async () => {
    const { play, open, settle, stored, told } = begin({}, 30 * 160)
    await open(fresh)
    play(30)
    assert.equal(stored().length, 30)
    play(10)
    await settle()
    for (let batch = 0; batch < 10; batch += 1) {
      play(10)
      await settle()
    }
    assert.deepEqual(told, ['clock 200 ms before mixed 31'])
  })

  test('is told as overload where the protocol tells what is lost', async () => {
    const { stream, open, settle, told } = begin({ loss: 'reported' }, 160)
    await open(fresh)
    for (let packet = 0; packet < 4; packet += 1) stream.audio(frame)
    await settle()
    stream.audio(frame)
    assert.deepEqual(told, ['overload 60 ms before mixed 2'])
  })

  test('leaves no trace: all room is free again after any end', async () => {
    for (const outcome of ['stored', 'lost', 'never open'] as const) {
      const { stream, play, open, settle, budget, ended } = begin({}, 50 * 160)
      play(20)
      await open(outcome === 'never open' ? new Error('no such thing') : fresh)
      play(20)
      await settle(outcome === 'lost' ? new GatewayError('internal', 'lost') : receipt)
      stream.end('disconnected')
      await turn()
      assert.equal(ended(), 1)
      assert.ok(budget.take(50 * 160), outcome)
    }
  })
})

suite('the end of a stream', () => {
  test('comes after everything that came before it is settled, and is the first one', async () => {
    const { stream, play, open, settle, told, ended } = begin()
    play(2)
    stream.dtmf('5', { duration: 100 })
    stream.stopped({ code: 16 })
    stream.end('disconnected')
    await open(fresh)
    assert.deepEqual(told, ['dtmf {"duration":100,"digit":"5"}'])
    assert.equal(ended(), 0)
    await settle()
    assert.deepEqual(told.at(-1), 'end stopped {"code":16}')
    assert.equal(ended(), 1)
  })

  test('is final: nothing is heard after it', async () => {
    const { stream, play, open, stored, told } = begin()
    await open(fresh)
    stream.stopped()
    await turn()
    play(1)
    stream.dtmf('1')
    stream.packet({ track: 'mixed', number: 1, at: 0, payload: frame })
    assert.deepEqual(stored(), [])
    assert.deepEqual(told, ['end stopped {}'])
  })
})

test('events before the stream is open are told then, in their order, up to a thousand', async () => {
  const { stream, open, told } = begin()
  for (let key = 0; key < 2_000; key += 1) stream.dtmf(String(key % 10))
  await open(fresh)
  assert.equal(told.length, 1_000)
  assert.equal(told[1], 'dtmf {"digit":"1"}')
})

test('packets of a call that is locked are handed in again, as they were', async () => {
  const { stream, open, settle, handed, stored, told } = begin()
  await open(fresh)
  const payloads = [1, 2, 3].map((byte) => new Uint8Array(frame.length).fill(byte))
  for (const payload of payloads) stream.audio(payload)
  stream.stopped()
  await settle(new GatewayError('call_locked', 'locked'))
  assert.deepEqual(told, [])
  while (handed.length < payloads.length) await turn()
  assert.deepEqual(stored(), ['CALL mixed 1', 'CALL mixed 2', 'CALL mixed 3'])
  assert.deepEqual(
    handed.map(payloadOf),
    payloads.map((payload) => Buffer.from(payload)),
  )
  await settle()
  assert.deepEqual(told, ['end stopped {}'])
})
