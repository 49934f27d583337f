import assert from 'node:assert/strict'
import { after, suite, test } from 'node:test'
import type { Packet } from '../../src/ledger/packet.ts'
import { decodeMuLaw } from '../../src/recording/g711.ts'
import { readTelephonePackets } from '../../src/recording/telephone-packets.ts'
import { loadRecordings } from '../../src/simulator/recordings.ts'
import { contentOf } from '../support/calls.ts'
import { createDatabase } from '../support/database.ts'
import {
  type DeclaredFormat,
  declareFormat,
  muLaw,
  packetsOf,
  storePackets,
} from '../support/recorded-call.ts'

const stack = new AsyncDisposableStack()
after(() => stack.disposeAsync())
const { pool } = stack.use(await createDatabase())
const [speech = new Uint8Array()] = (await loadRecordings()).map(({ audio }) => audio)
const frames = packetsOf('', 'mixed', speech)

/** What was said of each packet: its number and its bytes in hex. */
const said = (packets: readonly { readonly sequence: number; readonly payload: Uint8Array }[]) =>
  packets.map(({ sequence, payload }) => `${sequence} ${Buffer.from(payload).toString('hex')}`)

const sent = (packets: readonly Packet[]) => said(packets.map(contentOf))

async function read(callId: string, packets: readonly Packet[], format?: DeclaredFormat) {
  const call = await storePackets(
    pool,
    packets.map((packet) => ({ ...packet, callId })),
  )
  if (format !== undefined) await declareFormat(pool, call, format)
  return said(await Array.fromAsync(readTelephonePackets(pool, call)))
}

/** Speech at a multiple of its rate, the samples of old where they were. */
function linear(times: number): Uint8Array {
  const samples = decodeMuLaw(speech)
  const more = Int16Array.from({ length: samples.length * times }, (_, index) =>
    index % times === 0 ? (samples[index / times] ?? 0) : 1_234,
  )
  return new Uint8Array(more.buffer)
}

suite('telephone packets', () => {
  test('of telephone audio are what was sent', async () => {
    assert.deepEqual(await read('same', frames, muLaw), sent(frames))
  })

  test('of opaque packets are the packets', async () => {
    const odd = frames.slice(0, 3).map((packet) => ({ ...packet, sequence: packet.sequence * 7 }))
    assert.deepEqual(await read('opaque', odd), sent(odd))
    assert.deepEqual(await read('unknown', odd, { ...muLaw, encoding: 'AMR' }), sent(odd))
  })

  test('of linear audio of any rate are the same speech', async () => {
    for (const times of [1, 2, 6]) {
      const format = { ...muLaw, encoding: 'L16', rate: 8_000 * times }
      const cut = { bytes: 320 * times, seconds: 0.02 }
      const packets = packetsOf('', 'mixed', linear(times), cut)
      assert.deepEqual(await read(`linear-${times}`, packets, format), sent(frames))
    }
  })

  test('are cut anew from packets of any size', async () => {
    for (const bytes of [80, 100, 1_000, 4_801]) {
      const packets = packetsOf('', 'mixed', speech, { bytes, seconds: bytes / 8_000 })
      assert.deepEqual(await read(`cut-${bytes}`, packets, muLaw), sent(frames))
    }
  })

  test('leave out what is missing, wholly or in part', async () => {
    const half = packetsOf('', 'mixed', speech.subarray(0, 8_000), { bytes: 80, seconds: 0.01 })
    const packets = half.filter(({ sequence }) => ![20, 41, 42, 43].includes(sequence))
    // Behind half a frame that is missing, frames are cut from where the audio begins again.
    const from = (sequence: number, count: number, byte: number) =>
      Array.from({ length: count }, (_, index) => ({
        sequence: sequence + index,
        payload: speech.subarray(byte + index * 160, byte + index * 160 + 160),
      }))
    assert.deepEqual(
      await read('lost', packets, muLaw),
      said([...from(1, 9, 0), ...from(11, 10, 1_600), ...from(23, 28, 3_440)]),
    )
    const whole = frames.filter(({ sequence }) => ![7, 8, 30].includes(sequence))
    assert.deepEqual(await read('lost-whole', whole, muLaw), sent(whole))
  })
})
