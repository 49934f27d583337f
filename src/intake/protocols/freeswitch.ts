// FreeSWITCH's mod_audio_fork and mod_audio_stream. What the audio is stands in the URL that they are given, in the
// JSON that they send first, or nowhere.
// https://github.com/jambonz/freeswitch-modules/tree/main/mod_audio_fork
// https://github.com/amigniter/mod_audio_stream
import Type from 'typebox'
import { messageReader, parseMessage, readTrack } from '../media/message.ts'
import {
  type Peer,
  ProtocolViolation,
  type Receiver,
  type WebSocketProtocol,
} from '../media/protocol.ts'
import { hearText, keysIn, longestForkMessage, readChannels } from './audio-fork.ts'
import { chooseCallId, firstOf, hearLinear, type LinearStart } from './linear.ts'

type Fields = Readonly<Record<string, unknown>>

/**
 * What an unlabelled stream is. No guess: both modules fork the voice of the party on the leg, at 8000 Hz, unless
 * their command says otherwise; and who says otherwise there can say it in the URL beside it.
 */
const unsaid = { rate: 8_000, mix: 'mono' } as const
const highestRate = 64_000
const callIdNames = ['callId', 'call_id', 'uuid']
const readFields = messageReader(Type.Record(Type.String(), Type.Unknown()))

function connect(peer: Peer): Receiver {
  const query: Fields = Object.fromEntries(peer.query)
  const isLabelled = readLabel(query, {}).assumed === undefined
  return hearLinear(peer, {
    begin: (text) => {
      const metadata = text === undefined ? {} : metadataIn(text)
      const isHeardToo = metadata === undefined
      return { ...readLabel(query, metadata ?? {}), metadata: metadata ?? {}, isHeardToo }
    },
    patience: isLabelled ? 'none' : 'a moment',
    hear: hearText,
  })
}

/** The JSON object that a text is, unless it tells of keys; `undefined` when it is none: the dialplan may send any. */
function metadataIn(text: string): Fields | undefined {
  if (keysIn(text) !== undefined) return undefined
  try {
    return readFields(parseMessage(text))
  } catch (error) {
    if (error instanceof ProtocolViolation) return undefined
    throw error
  }
}

/** What the URL says counts; then what the metadata say. */
function readLabel(query: Fields, metadata: Fields): Omit<LinearStart, 'metadata'> {
  const rate = firstOf(query, ['rate']) ?? firstOf(metadata, ['sampleRate'])
  const mix = firstOf(query, ['mix']) ?? firstOf(metadata, ['mixType'])
  const track = firstOf(query, ['track']) ?? firstOf(metadata, ['track'])
  const found = firstOf(query, callIdNames) ?? firstOf(metadata, callIdNames)
  const { callId, isDrawn } = chooseCallId(found, 'freeswitch')
  const assumed = {
    ...(rate === undefined ? { rate: unsaid.rate } : {}),
    ...(mix === undefined ? { mix: unsaid.mix } : {}),
    ...(isDrawn ? { call_id: callId } : {}),
  }
  return {
    callId,
    rate: rate === undefined ? unsaid.rate : readRate(rate.value, rate.name),
    channels: readChannels(mix?.value ?? unsaid.mix, readTrack(track?.value, 'track')),
    ...(Object.keys(assumed).length > 0 ? { assumed } : {}),
  }
}

/** As the modules read it: `8k`, `16k`, or a multiple of 8000. */
function readRate(value: string, field: string): number {
  const [, digits = '', thousand] = /^(\d{1,5})(k?)$/.exec(value) ?? []
  const rate = Number(digits) * (thousand === 'k' ? 1_000 : 1)
  if (rate > 0 && rate <= highestRate && rate % 8_000 === 0) return rate
  const came = JSON.stringify(value.slice(0, 20))
  throw new ProtocolViolation(
    `${field} should be a multiple of 8000 up to ${highestRate}, but is ${came}`,
  )
}

/** FreeSWITCH mod_audio_fork and mod_audio_stream. */
export const freeswitch: WebSocketProtocol = {
  name: 'freeswitch',
  longestBinary: longestForkMessage,
  connect,
}
