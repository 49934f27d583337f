// A stream on its way to the ledger, step by step: the database, the ledger and the time are played here.
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { GatewayError } from '../../../src/errors.ts'
import { MediaBudget } from '../../../src/intake/media/media-budget.ts'
import { LedgerStream } from '../../../src/intake/media/media-stream.ts'
import type { StreamStart } from '../../../src/intake/media/protocol.ts'
import type { Packet, PacketReceipt, PacketSender } from '../../../src/ledger/packet.ts'
import { createLogger } from '../../../src/telemetry/logger.ts'

type Entry = {
  readonly call_id: string
  readonly bases: number[]
  readonly quiet_ms: (number | null)[]
}

const frameMs = 20
const frame = new Uint8Array(160)
const receipt: PacketReceipt = { duplicate: false, late: false, opensGap: false, missing: '' }
const fresh: Entry = { call_id: 'CALL', bases: [0], quiet_ms: [null] }

/** A stream, and all that is around it. */
function begin(change: Partial<StreamStart> = {}, room = 1_000_000) {
  const time = { now: 5_000 }
  const opening: ((entry: Entry | Error) => void)[] = []
  const told: string[] = []
  const handed: { packet: Packet; sender: PacketSender }[] = []
  const budget = new MediaBudget(room)
  let ended = 0
  const stream = new LedgerStream({
    start: {
      callId: 'CALL',
      streamId: 'S',
      format: { encoding: 'PCMU', rate: 8_000 },
      channels: ['mixed'],
      loss: 'clock',
      ...change,
    },
    record: {
      open: () =>
        new Promise((resolve, reject) => {
          opening.push((entry) =>
            entry instanceof Error ? reject(entry) : resolve({ call: 1, stream: 1, ...entry }),
          )
        }),
      silences: (silences) => {
        for (const { track, beforeSequence, milliseconds, cause } of silences)
          told.push(`${cause} ${milliseconds} ms before ${track} ${beforeSequence}`)
      },
      shorten: (silences) => {
        for (const { track, beforeSequence, milliseconds, cause } of silences)
          told.push(`only ${cause} ${milliseconds} ms before ${track} ${beforeSequence}`)
      },
      note: (event, more) => told.push(`${event} ${JSON.stringify(more ?? {})}`),
      end: async (by, more) => void told.push(`end ${by} ${JSON.stringify(more)}`),
    },
    ledger: {
      append: (packet, sender) => {
        handed.push({ packet, sender })
        return true
      },
    },
    budget,
    clock: { wall: () => 1_000_000 + time.now, steady: () => time.now },
    logger: createLogger({ level: 'silent', pretty: false }),
    onEnded: () => {
      ended += 1
    },
  })

  return {
    stream,
    time,
    told,
    budget,
    ended: () => ended,
    /** The packets that the ledger got, as `CALL track sequence`. */
    stored: () => handed.map(({ packet }) => `${packet.callId} ${packet.track} ${packet.sequence}`),
    handed,
    open: async (entry: Entry | Error) => {
      opening.shift()?.(entry)
      await turn()
    },
    /** Settles what the ledger has got, and forgets it. */
    settle: async (outcome: PacketReceipt | GatewayError = receipt) => {
      for (const { packet, sender } of handed.splice(0)) sender.settled(packet, outcome)
      await turn()
    },
    /** Plays packets of 20 ms. */
    play: (count: number) => {
      for (let packet = 0; packet < count; packet += 1) {
        time.now += frameMs
        stream.audio(frame)
      }
    },
  }
}

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
      handed.map(({ packet }) => `${Buffer.from(packet.payload)}`),
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
    const { play, open, settle, stored, told, stream, ended } = begin()
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
    one?.sender.settled(one.packet, sealed)
    play(1)
    await open({ call_id: 'CALL~2', bases: [0], quiet_ms: [null] })
    assert.deepEqual(stored(), [])
    other?.sender.settled(other.packet, sealed)
    await open({ call_id: 'CALL~2', bases: [0], quiet_ms: [null] })
    assert.deepEqual(stored(), ['CALL~2 mixed 1', 'CALL~2 mixed 2', 'CALL~2 mixed 3'])
  })
})

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

test('a packet of a call that is locked is handed in again', async () => {
  const { play, open, settle, handed, told, stream } = begin()
  await open(fresh)
  play(1)
  stream.stopped()
  await settle(new GatewayError('call_locked', 'locked'))
  assert.deepEqual(told, [])
  while (handed.length === 0) await turn()
  await settle()
  assert.deepEqual(told, ['end stopped {}'])
})
