// PocketSphinx, a speech recogniser that runs without a network: words and their times from a WAV file.
import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** What was heard between two pauses; seconds since the start of the audio. */
export type HeardPhrase = { readonly start: number; readonly end: number; readonly text: string }

/** The form of audio: a WAV file, or raw G.711 µ-law at 8 kHz. */
export type AudioForm = 'wav' | 'ulaw'

/** What SoX must be told of a file; a WAV file tells it itself. */
const inputOptions = {
  wav: ['-t', 'wav'],
  ulaw: ['-t', 'raw', '-e', 'mu-law', '-b', '8', '-r', '8000', '-c', '1'],
} as const

const programs = ['pocketsphinx_continuous', 'sox'] as const
const patienceMs = 300_000

/** The programs that are needed and not installed. */
export async function missingPrograms(): Promise<readonly string[]> {
  const found = await Promise.all(
    programs.map((program) =>
      run('sh', ['-c', `command -v ${program}`]).then(
        () => true,
        () => false,
      ),
    ),
  )
  return programs.filter((_, index) => !found[index])
}

/**
 * Hears audio, resampled to the 16 kHz of the model; the same audio gives the same words every time.
 * @throws Error when the audio cannot be read
 */
export async function recognise(
  audio: Uint8Array,
  form: AudioForm,
): Promise<readonly HeardPhrase[]> {
  const folder = await mkdtemp(join(tmpdir(), 'recogniser-'))
  try {
    const given = join(folder, 'given')
    const wide = join(folder, 'wide.wav')
    await writeFile(given, audio)
    await run('sox', ['-D', ...inputOptions[form], given, ...linear(16_000), wide])
    const words = ['-infile', wide, '-time', 'yes', '-logfn', join(folder, 'log')]
    const { stdout } = await run('pocketsphinx_continuous', words, { timeout: patienceMs })
    return phrasesOf(stdout)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** The samples of audio as they are, 16 bit little-endian, without any header. */
export async function samplesOf(audio: Uint8Array, form: AudioForm): Promise<Buffer> {
  const options = ['-D', ...inputOptions[form], '-', ...linear(8_000), '-t', 'raw', '-']
  const running = run('sox', options, { encoding: 'buffer', maxBuffer: 64_000_000 })
  running.child.stdin?.end(audio)
  return (await running).stdout
}

function linear(rate: number): readonly string[] {
  return ['-r', String(rate), '-c', '1', '-e', 'signed-integer', '-b', '16']
}

/** Reads lines such as `when(4) 0.690 1.630 0.386`; `<s>` and `</s>` are around a phrase. */
function phrasesOf(output: string): readonly HeardPhrase[] {
  const phrases: { start: number; end: number; words: string[] }[] = []
  for (const line of output.split('\n')) {
    const [, entry, start, end] = /^(\S+) ([\d.]+) ([\d.]+) [\d.]+$/.exec(line) ?? []
    if (entry === undefined) continue
    if (entry === '<s>' || phrases.length === 0)
      phrases.push({ start: Number(start), end: Number(end), words: [] })
    const phrase = phrases.at(-1)
    const isSound = /^[<[+]/.test(entry)
    if (phrase === undefined || isSound) continue
    phrase.words.push(entry.replace(/\(\d+\)$/, ''))
    phrase.end = Number(end)
  }
  return phrases
    .filter(({ words }) => words.length > 0)
    .map(({ words, ...times }) => ({ ...times, text: words.join(' ') }))
}
