// `npm run bench:wer`: real words out. Recordings are played to a real gateway by Twilio's protocol, PocketSphinx
// transcribes, and the words of the transcript are counted beside those heard in the source audio itself.
import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { sidOf } from '../src/simulator/addresses.ts'
import { systemClock } from '../src/simulator/clock.ts'
import { twilioProtocol } from '../src/simulator/protocols/twilio.ts'
import { loadRecordings, packetSeconds, type Recording } from '../src/simulator/recordings.ts'
import { splitVoices, voicePackets } from '../src/simulator/voices.ts'
import { killAll, startGateway } from './processes.ts'
import { missingPrograms, recognise, samplesOf } from './recogniser.ts'
import { startTranscriptionServer } from './transcription-server.ts'
import { wordErrors, wordsOf } from './word-errors.ts'

const played = ['billing-dispute', 'late-delivery', 'happy-upgrade']
const rate = 10
const atOnce = 2
const patienceSeconds = 300
const speakers = { inbound: 'customer', outbound: 'agent' } as const

/** One track of a call: what was said, and what was heard of it on both ways. */
type Row = {
  readonly recording: string
  readonly track: string
  readonly seconds: number
  readonly said: readonly string[]
  readonly byGateway: readonly string[]
  readonly direct: readonly string[]
  /** The service got the source's samples, all and no others. */
  readonly isSameAudio: boolean
}

type Transcript = {
  readonly utterances: readonly { readonly track: string | null; readonly text: string }[]
}

const missing = await missingPrograms()
if (missing.length > 0) {
  console.error(
    `Not installed: ${missing.join(', ')}. On Debian and Ubuntu:\n` +
      '  apt-get install pocketsphinx pocketsphinx-en-us sox',
  )
  process.exit(2)
}

const folder = mkdtempSync(join(tmpdir(), 'bench-wer-'))
try {
  const recordings = (await loadRecordings()).filter(({ name }) => played.includes(name))
  const rows = await measure(recordings)
  report(rows)
  if (!rows.every((row) => isEqual(row) && row.isSameAudio)) process.exitCode = 1
} finally {
  killAll()
  rmSync(folder, { recursive: true, force: true })
}

async function measure(recordings: readonly Recording[]): Promise<readonly Row[]> {
  await using server = await startTranscriptionServer()
  await using gateway = await startGateway({
    DATA_DIR: join(folder, 'data'),
    AI_PROVIDERS: 'whisper',
    WHISPER_BASE_URL: server.baseUrl,
    WHISPER_CONCURRENCY: String(atOnce),
    REDACTION: 'off',
  })
  const calls = await Promise.all(
    recordings.map(async (recording) => ({ recording, id: await play(gateway.url, recording) })),
  )
  console.log(`Played ${calls.length} calls; they are being transcribed …`)
  const transcripts = await Promise.all(calls.map(({ id }) => transcriptOf(gateway.url, id)))
  console.log('Hearing the source audio itself …')
  const sent = await Promise.all(server.files.map((file) => samplesOf(file, 'wav')))
  const rows: Row[] = []
  for (const [index, recording] of recordings.entries())
    rows.push(...(await compare(recording, transcripts[index], sent)))
  return rows
}

/** Plays a call to its end, without a loss; its id. */
async function play(url: string, recording: Recording): Promise<string> {
  const callId = sidOf('CA', randomUUID())
  const { signal } = new AbortController()
  const voices = splitVoices(recording)
  await twilioProtocol.play({ url, callId, voices, rate, clock: systemClock, signal })
  return callId
}

async function transcriptOf(url: string, id: string): Promise<Transcript> {
  for (let waited = 0; waited < patienceSeconds; waited += 1) {
    const call = (await read(`${url}/v1/call/${id}`)) as { status: string }
    if (call.status === 'ARCHIVED')
      return (await read(`${url}/v1/call/${id}/transcript`)) as Transcript
    await pause(1_000)
  }
  throw new Error(`the call ${id} has no transcript after ${patienceSeconds} s`)
}

async function read(url: string): Promise<unknown> {
  const reply = await fetch(url)
  if (!reply.ok) throw new Error(`GET ${url}: ${reply.status} ${await reply.text()}`)
  return await reply.json()
}

/** Both tracks of a recording; the source goes to the recogniser as the µ-law that it is. */
async function compare(
  recording: Recording,
  transcript: Transcript | undefined,
  sent: readonly Buffer[],
): Promise<readonly Row[]> {
  const voices = splitVoices(recording)
  return await Promise.all(
    (['inbound', 'outbound'] as const).map(async (track) => {
      const voice = voices[speakers[track]]
      const source = await samplesOf(voice, 'ulaw')
      const turns = recording.turns.filter(({ speaker }) => speaker === speakers[track])
      const heard = transcript?.utterances.filter((utterance) => utterance.track === track) ?? []
      return {
        recording: recording.name,
        track,
        seconds: voicePackets(voices) * packetSeconds,
        said: wordsOf(textOf(turns)),
        byGateway: wordsOf(textOf(heard)),
        direct: wordsOf(textOf(await recognise(voice, 'ulaw'))),
        isSameAudio: sent.some((samples) => samples.equals(source)),
      }
    }),
  )
}

function textOf(parts: readonly { readonly text: string }[]): string {
  return parts.map(({ text }) => text).join(' ')
}

function isEqual({ byGateway, direct }: Row): boolean {
  return byGateway.join(' ') === direct.join(' ')
}

function report(rows: readonly Row[]): void {
  const sum = (figure: (row: Row) => number) => rows.reduce((all, row) => all + figure(row), 0)
  const percent = (errors: number, words: number) => `${((errors / words) * 100).toFixed(1)} %`
  const yes = (is: boolean) => (is ? 'yes' : '**no**')
  const line = (row: Row) => {
    const { recording, track, seconds, said, byGateway, direct, isSameAudio } = row
    const errors = [byGateway, direct].map((heard) => wordErrors(said, heard))
    const rates = errors.map((count) => percent(count, said.length)).join(' | ')
    return `| ${recording} | ${track} | ${seconds.toFixed(1)} | ${said.length} | ${rates} | ${yes(isSameAudio)} | ${yes(isEqual(row))} |`
  }
  const said = sum((row) => row.said.length)
  const all = [
    sum((row) => wordErrors(row.said, row.byGateway)),
    sum((row) => wordErrors(row.said, row.direct)),
  ].map((errors) => percent(errors, said))
  const text = `# Real words out, measured by \`npm run bench:wer\`

Recordings of which every word is known (assets/speech) are played to a gateway by Twilio's protocol, ${rate} times as fast as real time and
without a loss. It has them transcribed by PocketSphinx (en-us, open vocabulary) behind \`WHISPER_BASE_URL\`; the same recogniser hears the source
audio of each track directly. The word error rate is (replaced + added + left out) / words said. The recogniser is an old one, with a model for
wide-band studio speech, and the speech is synthetic and of telephone quality: its rate is high. What counts is that
the gateway adds nothing to it. Measured ${new Date().toISOString().slice(0, 16)} UTC.

| recording | track | seconds | words said | error rate by the gateway | heard directly | same samples | same words |
| --- | --- | ---: | ---: | ---: | ---: | --- | --- |
${rows.map(line).join('\n')}
| all | | ${sum(({ seconds }) => seconds).toFixed(1)} | ${said} | ${all.join(' | ')} | ${yes(rows.every(({ isSameAudio }) => isSameAudio))} | ${yes(rows.every(isEqual))} |
`
  writeFileSync(join(import.meta.dirname, 'results', 'wer.md'), text)
  console.log(`\n${text}`)
}
