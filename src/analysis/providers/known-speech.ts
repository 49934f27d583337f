// Recognises the recordings shipped with the product, by what packets hold and where they stand, and tells
// the words of which enough arrived. Pure: the recordings are an argument, and of a call only a byte per
// packet of a recognised recording is kept.
import type { Track } from '../provider.ts'

/** Who speaks, what, and in which packets of the recording: from `start` up to but not including `end`. */
export type SpeechTurn = {
  readonly speaker: 'customer' | 'agent'
  readonly text: string
  readonly start: number
  readonly end: number
}

/** A recording of which every word is known: raw G.711 µ-law, 160 bytes (20 ms) a packet. */
export type SpeechRecording = {
  readonly name: string
  readonly audio: Uint8Array
  readonly turns: readonly SpeechTurn[]
}

/** What somebody said; words that were lost stand as `[…]`. */
export type Utterance = Pick<SpeechTurn, 'speaker' | 'text'> & {
  /** Seconds since packet 1 of the call. */
  readonly start: number
  readonly end: number
}

/** Follows one call. */
export type Listener = {
  /** Takes the next packet, per track in ascending order; true when it is audio of a known recording. */
  readonly hear: (track: Track, sequence: number, payload: Uint8Array) => boolean
  /** What was said so far, in order of time; empty when no whole word of a recording was heard. */
  readonly utterances: () => readonly Utterance[]
}

/** Stands for one word or more that were lost. */
export const lostWords = '[…]'

const packetBytes = 160
const packetSeconds = 0.02
const silence = 0
const mostPending = 1000
const mostPassages = 1000
const [lost, silent, heard] = [0, 1, 2]

/** One playing of a recording within a call: packet `i` of the recording has the sequence `offset + i`. */
type Passage = { recording: Indexed; offset: number; states: Uint8Array }

/** `contents[i]` numbers what packet `i` holds: equal packets of all recordings have the same number. */
type Indexed = { turns: readonly SpeechTurn[]; contents: Uint32Array }

/** Prepares the recognition of `recordings`; the returned function begins a new call. */
export function indexSpeech(recordings: readonly SpeechRecording[]): () => Listener {
  const numbers = new Map<string, number>([['\u00ff'.repeat(packetBytes), silence]])
  const places: ({ recording: Indexed; packet: number } | undefined)[] = [undefined]
  for (const { audio, turns } of recordings) {
    const recording = { turns, contents: new Uint32Array(audio.length / packetBytes) }
    for (let packet = 0; packet < recording.contents.length; packet += 1) {
      const bytes = audio.subarray(packet * packetBytes, (packet + 1) * packetBytes)
      const key = latin1(bytes)
      const number = numbers.get(key)
      if (number === undefined) {
        numbers.set(key, places.length)
        recording.contents[packet] = places.length
        places.push({ recording, packet })
      } else {
        recording.contents[packet] = number
        places[number] = undefined
      }
    }
  }

  return () => {
    const passages = new Map<Indexed, Map<number, Passage>>()
    let passageCount = 0
    let current: Passage | undefined
    let currentTrack: Track | undefined
    let pending: { sequence: number; content: number }[] = []

    function passageAt(recording: Indexed, offset: number): Passage | undefined {
      const known = passages.get(recording)?.get(offset)
      if (known !== undefined || passageCount === mostPassages) return known
      const passage = { recording, offset, states: new Uint8Array(recording.contents.length) }
      const ofRecording = passages.get(recording) ?? new Map<number, Passage>()
      passages.set(recording, ofRecording.set(offset, passage))
      passageCount += 1
      return passage
    }

    /** Content that stands in many places, such as silence, means something only beside a known packet. */
    function place(sequence: number, content: number): void {
      if (current !== undefined && covers(current, sequence)) mark(current, sequence, content)
      else if (pending.length < mostPending) pending.push({ sequence, content })
    }

    return {
      hear: (track, sequence, payload) => {
        if (track !== currentTrack) {
          current = undefined
          pending = []
          currentTrack = track
        }
        const content = numbers.get(audioKey(payload))
        if (content === undefined) return false
        const only = places[content]
        if (only !== undefined) {
          current = passageAt(only.recording, sequence - only.packet)
          const waiting = pending
          pending = []
          for (const packet of waiting) place(packet.sequence, packet.content)
          pending = []
        }
        place(sequence, content)
        return true
      },
      utterances: () =>
        [...passages.values()]
          .flatMap((ofRecording) => joinParts([...ofRecording.values()]))
          .flatMap(recall)
          .sort((one, other) => one.start - other.start),
    }
  }
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1')
}

/** 160 bytes as they are, or base64 of 160 bytes; `''` for anything else. */
function audioKey(payload: Uint8Array): string {
  if (payload.length === packetBytes) return latin1(payload)
  if (payload.length < 214 || payload.length > 216) return ''
  const bytes = Buffer.from(latin1(payload), 'base64')
  return bytes.length === packetBytes ? bytes.toString('latin1') : ''
}

function covers({ offset, states }: Passage, sequence: number): boolean {
  return sequence >= offset && sequence < offset + states.length
}

/** Silence is the same everywhere, so it proves that a packet arrived, and nothing about who speaks. */
function mark({ recording, offset, states }: Passage, sequence: number, content: number): void {
  const packet = sequence - offset
  if (content === silence) states[packet] ||= silent
  else if (recording.contents[packet] === content) states[packet] = heard
}

/** A playing that goes on after a pause, or after lost audio of another length, stands at another place: it is one. */
function joinParts(passages: readonly Passage[]): readonly Passage[] {
  const joined: Passage[] = []
  for (const passage of passages.toSorted((one, other) => one.offset - other.offset)) {
    const first = passage.states.indexOf(heard)
    const before = joined.findLast(({ states }) => states.lastIndexOf(heard) < first)
    if (before === undefined) joined.push({ ...passage, states: passage.states.slice() })
    else before.states.set(passage.states.subarray(first), first)
  }
  return joined
}

function recall(passage: Passage): Utterance[] {
  const { recording, offset, states } = passage
  const [first, last] = [states.indexOf(heard), states.lastIndexOf(heard)]
  const utterances = recording.turns
    .filter(({ start, end }) => start <= last && end > first)
    .map((turn) => ({
      speaker: turn.speaker,
      words: wordsOf(turn, passage),
      start: secondsOf(offset + turn.start),
      end: secondsOf(offset + turn.end),
    }))
    .filter(({ words }) => words.length > 0)
  if (!utterances.some(({ words }) => words.some((word) => word !== lostWords))) return []
  return utterances.map(({ words, ...utterance }) => ({ ...utterance, text: words.join(' ') }))
}

/** Where a packet begins, in seconds; packet 1 is the first. */
function secondsOf(sequence: number): number {
  return Math.max(Math.round((sequence - 1) * packetSeconds * 1_000) / 1_000, 0)
}

/**
 * The words of a turn; the time of a word within the turn is in proportion to its characters. A speaker
 * with a track of their own is silent on it while the other speaks: those words are neither heard nor lost.
 */
function wordsOf({ text, start, end }: SpeechTurn, { recording, states }: Passage): string[] {
  const words: string[] = []
  const packetsPerCharacter = (end - start) / text.length
  const isSpoken = states.subarray(start, end).includes(heard)
  const isPause = (packet: number) => isSpoken && recording.contents[packet] === silence
  for (const { 0: word, index } of text.matchAll(/\S+/g)) {
    const from = start + Math.floor(index * packetsPerCharacter)
    const to = start + Math.ceil((index + word.length) * packetsPerCharacter)
    const [enough, counts] = [(to - from) / 2, { arrived: 0, received: 0 }]
    for (let packet = from; packet < to; packet += 1) {
      const state = states[packet]
      if (state !== lost) counts.received += 1
      if (state === heard || (state === silent && isPause(packet))) counts.arrived += 1
    }
    if (counts.arrived >= enough) words.push(word)
    else if (counts.received < enough && words.at(-1) !== lostWords) words.push(lostWords)
  }
  return words
}
