// WAV files of calls, as a client reads them.
import assert from 'node:assert/strict'
import { samplesOf } from './sox.ts'

/** Asks for the recording of a call. */
export async function getWav(
  url: string,
  callId: string,
  query = '',
  init: RequestInit = {},
): Promise<Response> {
  return await fetch(`${url}/v1/call/${callId}/recording.wav${query}`, init)
}

/** A WAV file of 16-bit samples. */
export type Wav = { readonly rate: number; readonly channels: readonly Int16Array[] }

/** Reads the recording of a call; its header must be right. */
export async function readWav(url: string, callId: string, query = ''): Promise<Wav> {
  const response = await getWav(url, callId, query)
  const body = Buffer.from(await response.arrayBuffer())
  assert.equal(response.status, 200, body.toString('latin1', 0, 200))
  assert.equal(response.headers.get('content-type'), 'audio/wav')
  assert.equal(response.headers.get('content-length'), `${body.length}`)
  assert.equal(
    response.headers.get('content-disposition'),
    `inline; filename="${decodeURIComponent(callId)}.wav"`,
  )
  return parseWav(body)
}

/** Reads a WAV file whose header is the shortest. */
export function parseWav(file: Buffer): Wav {
  const count = file.readUInt16LE(22)
  const rate = file.readUInt32LE(24)
  assert.equal(file.toString('latin1', 0, 4), 'RIFF')
  assert.equal(file.readUInt32LE(4), file.length - 8)
  assert.equal(file.toString('latin1', 8, 16), 'WAVEfmt ')
  assert.deepEqual([file.readUInt32LE(16), file.readUInt16LE(20)], [16, 1])
  assert.equal(file.readUInt32LE(28), rate * count * 2)
  assert.deepEqual([file.readUInt16LE(32), file.readUInt16LE(34)], [count * 2, 16])
  assert.equal(file.toString('latin1', 36, 40), 'data')
  assert.equal(file.readUInt32LE(40), file.length - 44)
  const samples = samplesOf(file.subarray(44))
  const channels = Array.from({ length: count }, (_, channel) =>
    samples.filter((_sample, index) => index % count === channel),
  )
  return { rate, channels }
}

/** Fails where samples first differ; to show all of a minute of them would take longer than that. */
export function assertSamples(actual: Int16Array | undefined, expected: Int16Array): void {
  assert.equal(actual?.length, expected.length)
  const place = expected.findIndex((sample, index) => actual?.[index] !== sample)
  if (place !== -1) assert.fail(`sample ${place} is ${actual?.[place]}, not ${expected[place]}`)
}

/** The same for each channel of a file. */
export function assertChannels(wav: Wav, ...expected: readonly Int16Array[]): void {
  assert.equal(wav.channels.length, expected.length)
  for (const [index, samples] of expected.entries()) assertSamples(wav.channels[index], samples)
}
