// What an AudioSocket listener does by the clock, with shorter times than the usual ones.
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, test } from 'node:test'
import {
  type AudioSocketTimes,
  createAudioSocketListener,
} from '../../../src/intake/protocols/audiosocket.ts'
import {
  audioFrames,
  audioSocketFrame,
  connectAudioSocket,
  uuidFrame,
} from '../../support/audiosocket-client.ts'
import { createDatabase } from '../../support/database.ts'
import { endedStreams, mediaEvents, storedAudio } from '../../support/media-calls.ts'
import { openMediaParts } from '../../support/media-parts.ts'
import { until } from '../../support/until.ts'

const database = await createDatabase()
after(() => database[Symbol.asyncDispose]())
const { pool } = database
const hangup = audioSocketFrame(0x00)
const silence = audioSocketFrame(0x10, Buffer.alloc(320))
const audio = Buffer.alloc(16_000, 5)
const usual: AudioSocketTimes = { keepAlive: 20, uuid: 200, frame: 200 }

async function listen(times: Partial<AudioSocketTimes> = {}) {
  const media = openMediaParts(pool)
  const { address, close } = await createAudioSocketListener({
    host: '127.0.0.1',
    port: 0,
    parts: media.parts,
    times: { ...usual, ...times },
  })
  return {
    address,
    close,
    [Symbol.asyncDispose]: async () => {
      await close()
      await media[Symbol.asyncDispose]()
    },
  }
}

/** Why the stream of a call was ended. */
async function reasonOf(uuid: string): Promise<unknown> {
  return (await endedStreams(pool, uuid)).at(-1)?.reason
}

test('who sends no UUID in time is hung up, also one that sends it byte by byte', async () => {
  await using listener = await listen()
  using silent = await connectAudioSocket(listener.address)
  using slow = await connectAudioSocket(listener.address)
  const bytes = [...uuidFrame(randomUUID())].slice(0, -1)
  const sending = setInterval(() => {
    const byte = bytes.shift()
    if (byte !== undefined) slow.send(Buffer.of(byte))
  }, 5)
  await Promise.all([silent.closed, slow.closed])
  clearInterval(sending)
  assert.deepEqual(silent.received(), hangup)
  assert.deepEqual(slow.received(), hangup)
})

test('a frame that never ends is hung up, and what came before it is kept', async () => {
  await using listener = await listen()
  const uuid = randomUUID()
  using client = await connectAudioSocket(listener.address)
  client.send(uuidFrame(uuid), ...audioFrames(audio), Buffer.of(0x10, 0x01))
  await client.closed
  assert.equal(await reasonOf(uuid), 'A frame should be whole within 200 ms, but is not')
  assert.ok((await storedAudio(pool, uuid, 'mixed')).equals(audio))
})

test('a call that is always in the midst of a frame goes on', async () => {
  await using listener = await listen()
  const uuid = randomUUID()
  using client = await connectAudioSocket(listener.address)
  const [half, otherHalf] = [silence.subarray(0, 100), silence.subarray(100)]
  client.send(uuidFrame(uuid), half)
  let frames = 0
  const sending = setInterval(() => {
    client.send(otherHalf, half)
    frames += 1
  }, 5)
  await until('30 frames of silence', () => client.received().length >= 30 * silence.length)
  clearInterval(sending)
  client.send(otherHalf, hangup)
  await endedStreams(pool, uuid)
  assert.equal((await storedAudio(pool, uuid, 'mixed')).length, (frames + 1) * 320)
})

test('a call on hold, without a frame, goes on as long as it likes', async () => {
  await using listener = await listen()
  const uuid = randomUUID()
  using client = await connectAudioSocket(listener.address)
  client.send(uuidFrame(uuid), ...audioFrames(audio))
  await until('30 frames of silence', () => client.received().length >= 30 * silence.length)
  client.send(...audioFrames(audio), hangup)
  await endedStreams(pool, uuid)
  assert.ok((await storedAudio(pool, uuid, 'mixed')).equals(Buffer.concat([audio, audio])))
})

test('a listener that closes keeps what came, and hangs up', async () => {
  await using listener = await listen()
  const uuid = randomUUID()
  using client = await connectAudioSocket(listener.address)
  client.send(uuidFrame(uuid), ...audioFrames(audio))
  await until('it is heard', async () => (await storedAudio(pool, uuid, 'mixed')).equals(audio))
  await listener.close()
  const last = (await mediaEvents(pool, uuid)).at(-1)
  assert.deepEqual([last?.event, last?.by], ['stream_ended', 'disconnected'])
  await client.closed
  assert.deepEqual(client.received().subarray(-3), hangup)
  await assert.rejects(connectAudioSocket(listener.address))
})
