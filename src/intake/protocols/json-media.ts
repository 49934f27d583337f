// What Twilio and its kin have in common: JSON messages `start`, `media`, `dtmf` and `stop`, audio in base64, and a
// number for every packet of a track. How a stream starts is each one's own.
import Type from 'typebox'
import type { MediaFormat } from '../../ledger/media-format.ts'
import type { TrackName } from '../../ledger/packet.ts'
import {
  messageReader,
  parseMessage,
  readBase64,
  readCallId,
  readChoice,
  readTrack,
  readWhole,
} from '../media/message.ts'
import {
  type MediaStream,
  type Peer,
  ProtocolViolation,
  type WebSocketProtocol,
} from '../media/protocol.ts'

/** Whose voice, in the words of these protocols. */
export const voices = ['inbound', 'outbound'] as const
/** A name of {@link voices}. */
export type Voice = (typeof voices)[number]

/** How a stream starts, in any of the protocols. */
export type JsonMediaStart = {
  /** The protocol's own id of the call, and where it stands in the message. */
  readonly callId: readonly [value: string, field: string]
  readonly streamId: string
  readonly format: MediaFormat
  /** Which ones come; `undefined`: the protocol does not say. */
  readonly voices?: readonly Voice[] | undefined
  /** What the operator told the PBX to say, `callId` and `track` among it. */
  readonly parameters: Readonly<Record<string, unknown>>
  /** What else was said. */
  readonly metadata: Readonly<Record<string, unknown>>
}

/** The id of a stream, as these protocols have it. */
export const StreamIdField = Type.String({ pattern: '^[!-~]{1,200}$' })

const readEvent = messageReader(Type.Object({ event: Type.String() }))
const readMedia = messageReader(
  Type.Object({
    media: Type.Object({
      track: Type.Enum(voices),
      chunk: Type.Unknown(),
      timestamp: Type.Unknown(),
      payload: Type.String(),
    }),
  }),
)
const readDtmf = messageReader(
  Type.Object({
    dtmf: Type.Object({
      digit: Type.String({ pattern: '^[0-9A-D*#]$' }),
      track: Type.Optional(Type.String({ maxLength: 40 })),
    }),
  }),
)

const mostChunks = 2 ** 32 - 1

/** A protocol of the kind, by what is its own: `readStart` may throw a ProtocolViolation. */
export function jsonMedia({
  readStart,
  ...protocol
}: Pick<WebSocketProtocol, 'name' | 'authenticate'> & {
  readonly readStart: (message: unknown, peer: Peer) => JsonMediaStart
}): WebSocketProtocol {
  return {
    ...protocol,
    connect: (peer) => {
      let stream: NumberedStream | undefined
      return {
        text: (text) => {
          const message = parseMessage(text)
          const { event } = readEvent(message)
          if (event === 'start') {
            if (stream !== undefined) throw new ProtocolViolation('event: start came twice')
            stream = new NumberedStream(peer, readStart(message, peer))
          } else if (event === 'media' || event === 'dtmf' || event === 'stop') {
            if (stream === undefined)
              throw new ProtocolViolation(`event: ${event} came before start`)
            stream[event](message)
          }
        },
        binary: () => {
          throw new ProtocolViolation(`/media/${protocol.name} takes no binary messages`)
        },
      }
    },
  }
}

/** A stream that has started. */
class NumberedStream {
  readonly #stream: MediaStream
  readonly #format: MediaFormat
  readonly #isBigEndian: boolean
  /** The track that all of it belongs to, where the operator said so. */
  readonly #track: TrackName | undefined
  /** The voices that may come. */
  #voices: readonly Voice[]
  /** Per voice, what is added to a chunk so that the first one is 1. */
  readonly #shifts = new Map<Voice, number>()

  constructor(peer: Peer, start: JsonMediaStart) {
    const { format, voices: said } = start
    const { told, others } = sortParameters(peer.query, start.parameters)
    const callId = told.get('callid')
    this.#format = format
    this.#isBigEndian =
      readChoice(told.get('byteorder') ?? 'little', ['little', 'big'], 'byteOrder') === 'big'
    this.#track = readTrack(told.get('track'), 'track')
    this.#voices = said ?? voices
    if (this.#track !== undefined && said !== undefined && said.length > 1)
      throw new ProtocolViolation(`track: one is named, but ${said.join(' and ')} come`)
    this.#stream = peer.start({
      callId: callId === undefined ? readCallId(...start.callId) : readCallId(callId, 'callId'),
      streamId: start.streamId,
      format,
      channels: this.#track === undefined ? this.#voices : [this.#track],
      loss: 'numbers',
      metadata: { ...start.metadata, parameters: others },
    })
  }

  media(message: unknown): void {
    const { track: voice, chunk, timestamp, payload } = readMedia(message).media
    readChoice(voice, this.#voices, 'media.track')
    const number = this.#numberOf(voice, readWhole(chunk, 0, mostChunks, 'media.chunk'))
    const at = readWhole(timestamp, 0, Number.MAX_SAFE_INTEGER, 'media.timestamp') / 1_000
    const audio = this.#audioOf(readBase64(payload, 'media.payload'))
    if (this.#track !== undefined) this.#voices = [voice]
    if (number > 0) this.#stream.packet({ track: this.#track ?? voice, number, at, payload: audio })
    else this.#stream.note('packet_without_place', { track: voice, chunk: 0 })
  }

  dtmf(message: unknown): void {
    const { digit, track } = readDtmf(message).dtmf
    this.#stream.dtmf(digit, track === undefined ? {} : { track: track.replace(/_track$/, '') })
  }

  stop(): void {
    this.#stream.stopped()
  }

  /** A chunk 0 that comes after others has no number of its own: 0. */
  #numberOf(voice: Voice, chunk: number): number {
    const shift = this.#shifts.get(voice) ?? (chunk === 0 ? 1 : 0)
    this.#shifts.set(voice, shift)
    return chunk + shift
  }

  #audioOf(bytes: Buffer): Buffer {
    if (this.#format.encoding !== 'L16') return bytes
    if (bytes.length % 2 === 0) return this.#isBigEndian ? bytes.swap16() : bytes
    throw new ProtocolViolation(
      `media.payload should be whole samples of 2 bytes, but has ${bytes.length} bytes`,
    )
  }
}

const ours = ['callid', 'track', 'byteorder']

/**
 * Sorts out what is told to the gateway: `callId`, `track` and `byteOrder`, in the query of the URL or among the
 * parameters, which win. Their names may be written in another manner (`call_id`), and be empty.
 */
function sortParameters(query: URLSearchParams, parameters: JsonMediaStart['parameters']) {
  const said = Object.entries(parameters)
  const told = new Map(
    [...query, ...said]
      .filter(([name, value]) => isOurs(name) && value !== '' && value !== null)
      .map(([name, value]) => [plain(name), textOf(value)]),
  )
  return { told, others: Object.fromEntries(said.filter(([name]) => !isOurs(name))) }
}

function isOurs(name: string): boolean {
  return ours.includes(plain(name))
}

function plain(name: string): string {
  return name.replaceAll('_', '').toLowerCase()
}

function textOf(value: unknown): string {
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}
