// AudioSocket connections whose sender stalls and catches up: real sockets, a real database, and a clock that goes on
// with the frames. The recording is as long as the call, at any time.
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, test } from 'node:test'
import { createAudioSocketListener } from '../../../src/intake/protocols/audiosocket.ts'
import { measureCall } from '../../../src/recording/measure.ts'
import {
  type AudioSocketClient,
  audioFrames,
  audioSocketFrame,
  connectAudioSocket,
  uuidFrame,
} from '../../support/audiosocket-client.ts'
import { createDatabase } from '../../support/database.ts'
import { frameClock } from '../../support/frame-clock.ts'
import {
  endedStreams,
  mediaEvents,
  storedAudio,
  storedSilences,
} from '../../support/media-calls.ts'
import { openMediaParts } from '../../support/media-parts.ts'
import { until } from '../../support/until.ts'

const database = await createDatabase()
after(() => database[Symbol.asyncDispose]())
const { pool } = database
const frameMs = 20
const hangup = audioSocketFrame(0x00)

/** When each frame of a call comes that is on time, in milliseconds. */
function onTime(frames: number): number[] {
  return Array.from({ length: frames }, (_, frame) => (frame + 1) * frameMs)
}

/** A listener by whose clock the frames of its one call come at these times. */
async function listen(arrivals: readonly number[]) {
  const media = openMediaParts(pool)
  const { address, close } = await createAudioSocketListener({
    host: '127.0.0.1',
    port: 0,
    parts: { ...media.parts, clock: frameClock(arrivals) },
    times: { keepAlive: 1_000, uuid: 1_000_000, frame: 1_000_000 },
  })
  return {
    address,
    [Symbol.asyncDispose]: async () => {
      await close()
      await media[Symbol.asyncDispose]()
    },
  }
}

/** Audio of so many frames, of which no two are the same. */
function audioOf(frames: number): Buffer {
  return Buffer.from(Uint16Array.from({ length: frames * 160 }, (_, sample) => sample).buffer)
}

async function begin(address: string): Promise<{ client: AudioSocketClient; uuid: string }> {
  const uuid = randomUUID()
  const client = await connectAudioSocket(address)
  client.send(uuidFrame(uuid))
  return { client, uuid }
}

async function silencesOf(uuid: string): Promise<string[]> {
  const silences = await storedSilences(pool, uuid)
  return silences.map(
    ({ before_sequence: before, milliseconds, cause }) =>
      `${cause} ${milliseconds} ms at ${before}`,
  )
}

/** Ends a call; how long its recording is, in seconds. */
async function lengthOf(uuid: string, audio: Buffer): Promise<number> {
  await endedStreams(pool, uuid)
  assert.ok((await storedAudio(pool, uuid, 'mixed')).equals(audio))
  const { rows } = await pool.query('SELECT id FROM calls WHERE call_id = $1', [uuid])
  return (await measureCall(pool, Number(rows[0]?.id))).duration
}

for (const speed of [1.25, 2, Number.POSITIVE_INFINITY])
  test(`a stall of 800 ms is no loss when the sender catches up, ${speed} times as fast`, async () => {
    const arrivals = onTime(600).map((due, frame) =>
      frame < 200 ? due : Math.max(due, 201 * frameMs + 800 + (frame - 200) * (frameMs / speed)),
    )
    await using listener = await listen(arrivals)
    const { client, uuid } = await begin(listener.address)
    using _ = client
    const audio = audioOf(600)
    client.send(...audioFrames(audio), hangup)
    assert.equal(await lengthOf(uuid, audio), 12)
    assert.deepEqual(await silencesOf(uuid), [])
    const told = (await mediaEvents(pool, uuid)).filter(({ event }) => event === 'no_audio')
    assert.deepEqual(told, [])
  })

test('a loss of 800 ms is told while the call goes on, and stays', async () => {
  const arrivals = onTime(640).toSpliced(200, 40)
  await using listener = await listen(arrivals)
  const { client, uuid } = await begin(listener.address)
  using _ = client
  const audio = audioOf(600)
  const frames = audioFrames(audio)
  client.send(...frames.slice(0, 300))
  const lost = ['clock 800 ms at 201']
  await until('it is told', async () => (await silencesOf(uuid)).join() === lost.join())
  client.send(...frames.slice(300), hangup)
  assert.equal(await lengthOf(uuid, audio), 12.8)
  assert.deepEqual(await silencesOf(uuid), lost)
})

test('frames that are dropped leave gaps where they were, to the millisecond', async () => {
  const drops = [
    { from: 60, count: 1 },
    { from: 100, count: 5 },
    { from: 150, count: 25 },
  ]
  const isSent = (frame: number) =>
    !drops.some(({ from, count }) => frame >= from && frame < from + count)
  await using listener = await listen(onTime(250).filter((_, frame) => isSent(frame)))
  const { client, uuid } = await begin(listener.address)
  using _ = client
  const sent = audioFrames(audioOf(250)).filter((_, frame) => isSent(frame))
  client.send(...sent, hangup)
  const audio = Buffer.concat(sent.map((frame) => frame.subarray(3)))
  assert.equal(await lengthOf(uuid, audio), 5)
  assert.deepEqual(await silencesOf(uuid), [
    'clock 20 ms at 61',
    'clock 100 ms at 100',
    'clock 500 ms at 145',
  ])
})

test('a delay that was told as a loss is taken back when its audio comes, and each is told', async () => {
  // From frame 200 on late; at the frames 300 and 400 less than before, so some come at once.
  const late = (frame: number) => (frame < 200 ? 0 : frame < 300 ? 800 : frame < 400 ? 200 : 0)
  let last = 0
  const arrivals = onTime(600).map((due, frame) => {
    last = Math.max(last, due + late(frame))
    return last
  })
  await using listener = await listen(arrivals)
  const { client, uuid } = await begin(listener.address)
  using _ = client
  const audio = audioOf(600)
  const frames = audioFrames(audio)
  for (const [from, to, milliseconds] of [
    [0, 300, 800],
    [300, 390, 200],
  ] as const) {
    client.send(...frames.slice(from, to))
    const expected = `clock ${milliseconds} ms at 201`
    await until(expected, async () => (await silencesOf(uuid)).join() === expected)
  }
  client.send(...frames.slice(390))
  await until('nothing is left of it', async () => (await silencesOf(uuid)).length === 0)
  client.send(hangup)
  assert.equal(await lengthOf(uuid, audio), 12)
  const told = (await mediaEvents(pool, uuid)).filter(({ event }) => event === 'no_audio')
  const place = { event: 'no_audio', track: 'mixed', before_sequence: 201, cause: 'clock' }
  assert.deepEqual(
    told,
    [800, 200, 0].map((milliseconds) => ({ ...place, milliseconds })),
  )
})
