// Packets of a call are lost for good. Its transcript says where, in every format, and services hear silence there.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decodeMuLaw } from '../../src/recording/g711.ts'
import { loadRecordings } from '../../src/simulator/recordings.ts'
import { type HeardSegment, startOpenAiServer } from '../support/ai/openai-server.ts'
import { createDatabase } from '../support/database.ts'
import { startGateway } from '../support/gateway.ts'
import { chunksOf, twilioMessages as messages } from '../support/json-media.ts'
import { connectMedia } from '../support/media-socket.ts'
import { until } from '../support/until.ts'
import { parseWav } from '../support/wav.ts'

const [recording] = await loadRecordings()
const speech = recording?.audio ?? new Uint8Array()
const turns = recording?.turns ?? []
const frame = 160
const perSecond = 50

/** What one of both says, and silence for the rest of the call. */
function voiceOf(who: 'customer' | 'agent'): Uint8Array {
  const audio = new Uint8Array(speech.length).fill(0xff)
  for (const { start, end } of turns.filter(({ speaker }) => speaker === who))
    audio.set(speech.subarray(start * frame, end * frame), start * frame)
  return audio
}

/** The packets that never come, numbered from 1: in the middle of what the customer says first, and at the start. */
const lost = {
  inbound: { first: 301, last: 350 },
  outbound: { first: 1, last: 25 },
} as const

/** Hears sound between silences of at least 0.9 s: more than between sentences, less than what is lost. */
function soundsIn(samples: Int16Array): HeardSegment[] {
  const heard: { start: number; end: number }[] = []
  for (let at = 0; at < samples.length; at += frame) {
    if (samples.subarray(at, at + frame).every((sample) => sample === 0)) continue
    const [start, end] = [at / frame / perSecond, (at / frame + 1) / perSecond]
    const before = heard.at(-1)
    if (before !== undefined && start - before.end < 0.9) before.end = end
    else heard.push({ start, end })
  }
  return heard.map((times, number) => ({ ...times, text: ` Sound ${number + 1}.` }))
}

type Said = { track: string; start: number; end: number; text: string }

test('lost audio is marked where it was lost, and nothing is heard there', async (t) => {
  const uploads: Int16Array[] = []
  const server = await startOpenAiServer({
    hear: async (file) => {
      const [samples = new Int16Array()] = parseWav(Buffer.from(await file.arrayBuffer())).channels
      uploads.push(samples)
      return soundsIn(samples)
    },
  })
  t.after(() => server.close())
  await using database = await createDatabase()
  await using gateway = await startGateway(database.url, {
    AI_PROVIDERS: 'openai',
    OPENAI_BASE_URL: server.url,
  })
  using pbx = await connectMedia(gateway.url, '/media/twilio')
  pbx.send(messages.start('CA-lost'))
  for (const [track, who] of [
    ['inbound', 'customer'],
    ['outbound', 'agent'],
  ] as const)
    for (const chunk of chunksOf(track, voiceOf(who)))
      if (chunk.chunk < lost[track].first || chunk.chunk > lost[track].last)
        pbx.send(messages.media(chunk))
  pbx.send(messages.stop('CA-lost'))
  const transcript = async (format: string) => {
    const reply = await fetch(`${gateway.url}/v1/call/CA-lost/transcript?format=${format}`)
    assert.equal(reply.status, 200)
    return await reply.text()
  }
  await until('it is archived', async () => {
    const { rows } = await database.pool.query(`SELECT FROM calls WHERE status = 'ARCHIVED'`)
    return rows.length === 1
  })

  const heard = { inbound: voiceOf('customer'), outbound: voiceOf('agent') }
  for (const track of ['inbound', 'outbound'] as const) {
    const { first, last } = lost[track]
    heard[track].fill(0xff, (first - 1) * frame, last * frame)
  }
  // Agents first: their questions explain the answers.
  assert.deepEqual(uploads, [decodeMuLaw(heard.outbound), decodeMuLaw(heard.inbound)])

  const json = JSON.parse(await transcript('json')) as { utterances: Said[]; lost_audio: unknown }
  assert.deepEqual(json.lost_audio, [
    { track: 'inbound', start: 6, end: 7 },
    { track: 'outbound', start: 0, end: 0.5 },
  ])
  const customer = json.utterances.filter(({ track }) => track === 'inbound')
  const [before, after] = customer
  assert.deepEqual([before?.end, after?.start], [6, 7])
  assert.ok(before && after)
  assert.equal(json.utterances[0]?.start, 0.5, 'the agent had begun to speak')

  const line = (start: string, text: string) => `[00:00:${start}] ${text}`
  const text = (await transcript('text')).trimEnd().split('\n')
  assert.equal(text.length, json.utterances.length + 2)
  assert.deepEqual(text.slice(0, 2), [
    line('00.000', '[0.5 s of audio lost on outbound]'),
    line('00.500', 'Agent: Sound 1.'),
  ])
  const place = text.indexOf(line('06.000', '[1.0 s of audio lost on inbound]'))
  assert.match(text[place - 1] ?? '', /Customer: Sound 1\.$/)
  assert.equal(text[place + 1], line('07.000', 'Customer: Sound 2.'))

  assert.match(
    await transcript('srt'),
    /\n\d+\n00:00:06,000 --> 00:00:07,000\n\[1\.0 s of audio lost on inbound\]\n\n\d+\n00:00:07,000 --> /,
  )
  assert.match(
    await transcript('vtt'),
    /--> 00:00:06\.000\nCustomer: Sound 1\.\n\n00:00:06\.000 --> 00:00:07\.000\n\[1\.0 s of audio lost on inbound\]\n\n00:00:07\.000 --> /,
  )
})
