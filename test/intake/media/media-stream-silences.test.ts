// A stream on its way to the ledger: what it tells of audio that did not come.
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { begin, frame, frameMs, fresh } from '../../support/played-stream.ts'

suite('a gap by the clock', () => {
  test('is told in front of the packet behind it, on every track', async () => {
    const { stream, open, time, told } = begin({ channels: ['inbound', 'outbound'] })
    await open({ call_id: 'CALL', bases: [0, 30], quiet_ms: [null, null] })
    for (let packet = 0; packet < 200; packet += 1) {
      time.now += packet === 100 ? 3 * frameMs : frameMs
      stream.audio(Buffer.alloc(320))
    }
    assert.deepEqual(told, ['clock 40 ms before inbound 101', 'clock 40 ms before outbound 131'])
  })

  test('is told at its place when it was found before the stream was open', async () => {
    const { play, open, time, told } = begin()
    play(100)
    time.now += 100
    play(100)
    assert.deepEqual(told, [])
    await open(fresh)
    assert.deepEqual(told, ['clock 100 ms before mixed 101'])
  })

  test('is taken back when its audio comes after all, as far as it does', async () => {
    const { stream, play, open, time, told, settle } = begin()
    await open(fresh)
    play(100)
    time.now += 800
    play(100)
    assert.deepEqual(told.splice(0), ['clock 800 ms before mixed 101'])
    for (let packet = 0; packet < 30; packet += 1) stream.audio(frame)
    play(1)
    assert.deepEqual(told.splice(0), ['only clock 200 ms before mixed 101'])
    for (let packet = 0; packet < 10; packet += 1) stream.audio(frame)
    stream.stopped()
    await settle()
    assert.deepEqual(told, ['only clock 0 ms before mixed 101', 'end stopped {}'])
  })

  test('is told before the end, when it was not sure by then', async () => {
    const { play, open, time, told, stream, settle } = begin()
    await open(fresh)
    play(100)
    time.now += 60
    play(25)
    assert.deepEqual(told, [])
    stream.stopped()
    await settle()
    assert.deepEqual(told, ['clock 60 ms before mixed 101', 'end stopped {}'])
  })

  test('is not a pause, which is told as such', async () => {
    const { play, open, time, told, stream } = begin()
    await open(fresh)
    play(100)
    stream.paused()
    stream.paused()
    time.now += 30_000
    stream.resumed()
    stream.resumed()
    play(100)
    assert.deepEqual(told, ['paused {}', 'resumed {}', 'paused 30000 ms before mixed 101'])
  })

  test('is one before a pause, if it was not sure by then', async () => {
    const { play, open, time, told, stream } = begin()
    await open(fresh)
    play(100)
    time.now += 60
    play(25)
    stream.paused()
    assert.deepEqual(told, ['clock 60 ms before mixed 101', 'paused {}'])
  })
})

suite('what the protocol reports as lost', () => {
  test('is told in front of the next packet, each cause once', async () => {
    const { stream, open, told } = begin({ loss: 'reported' })
    await open({ call_id: 'CALL', bases: [5], quiet_ms: [null] })
    for (let more = 0; more < 1_000; more += 1) stream.missing(10, 'reported')
    stream.missing(7, 'overload')
    for (const nothing of [0, -5, Number.NaN]) stream.missing(nothing, 'paused')
    stream.audio(frame)
    stream.audio(frame)
    assert.deepEqual(told, ['reported 10000 ms before mixed 6', 'overload 7 ms before mixed 6'])
  })
})
