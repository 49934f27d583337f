// What a wire protocol of a PBX is to the gateway: a file in `../protocols/` that turns what comes over its
// connection into the few words of this file. A protocol knows its wire; it knows no ledger, no SQL and no time.
import type { IncomingHttpHeaders } from 'node:http'
import type { SilenceCause } from '../../calls/media-streams.ts'
import type { MediaFormat } from '../../ledger/media-format.ts'
import type { TrackName } from '../../ledger/packet.ts'

/**
 * How lost audio is found out: `numbers`: packets are numbered; `reported`: the protocol says it, by
 * {@link MediaStream.missing}; `clock`: neither, so samples are held against elapsed time.
 */
export type LossAccount = 'numbers' | 'reported' | 'clock'

/** How a stream begins. */
export type StreamStart = {
  /** The protocol's own id of the call, or the one its parameters carry. */
  readonly callId: string
  /** The protocol's own id of this stream; the same one again continues its numbering. */
  readonly streamId: string
  readonly format: MediaFormat
  /** Whose voice each channel is, in the order in which they are interleaved. Told by the protocol, never guessed. */
  readonly channels: readonly TrackName[]
  readonly loss: LossAccount
  /** What else the PBX said of the call, for people to see. No secrets. */
  readonly metadata?: Readonly<Record<string, unknown>>
}

/** A packet with a number, of a stream whose loss account is `numbers`. */
export type NumberedPacket = {
  readonly track: TrackName
  /** Per track; the first one of a stream is 1. */
  readonly number: number
  /** The sender's clock at the start of the packet, in seconds; shared by the tracks of the stream. */
  readonly at: number
  readonly payload: Uint8Array
}

/** What a protocol says of a call. None of it waits, and none of it throws. */
export type MediaStream = {
  /** Audio without a number: all channels interleaved, in whole samples of each. */
  readonly audio: (payload: Uint8Array) => void
  readonly packet: (packet: NumberedPacket) => void
  /** Audio is lost here, on all channels; for the loss account `reported`. */
  readonly missing: (milliseconds: number, cause: SilenceCause) => void
  /** Until {@link MediaStream.resumed}, no audio is expected. */
  readonly paused: () => void
  readonly resumed: () => void
  /** A key was pressed: `0`–`9`, `*`, `#`, `A`–`D`. */
  readonly dtmf: (digit: string, more?: Readonly<Record<string, unknown>>) => void
  /** Anything else that the people who watch the call should see. */
  readonly note: (event: string, more?: Readonly<Record<string, unknown>>) => void
  /** The protocol said that the call is over. What comes after it is not heard. */
  readonly stopped: (more?: Readonly<Record<string, unknown>>) => void
}

/** The PBX at the other end of a connection. */
export type Peer = {
  /** The query of the URL that was connected to. */
  readonly query: URLSearchParams
  readonly headers: IncomingHttpHeaders
  /** Keeps audio that came before its stream can be begun: the next stream gets it, as if it came then. */
  readonly keep: (payload: Uint8Array) => void
  /** Begins a stream of media; when the connection ends, so do its streams. */
  readonly start: (start: StreamStart) => MediaStream
  readonly send: (message: string | Uint8Array) => void
  /** Closes the connection when what was sent is sent. */
  readonly close: (reason: string) => void
}

/** What a protocol does with the messages of one connection. All may throw a {@link ProtocolViolation}. */
export type Receiver = {
  readonly text: (message: string) => void
  readonly binary: (message: Buffer) => void
  /** The connection is over; a stream for audio that was kept may still be begun. */
  readonly closed?: () => void
}

/** The upgrade that asks for a WebSocket. */
export type Upgrade = {
  readonly method: string
  /** Path and query. */
  readonly target: string
  readonly headers: IncomingHttpHeaders
}

/** What {@link WebSocketProtocol.authenticate} needs to know of the settings. */
export type MediaSecrets = {
  /** Where the PBX finds the gateway, `https://host[:port][/path]`; null: as the request says. */
  readonly publicUrl: string | null
  readonly twilioAuthToken: string | null
  readonly fonosterSecret: string | null
  readonly genesysApiKey: string | null
  /** Base64, as Genesys shows it. */
  readonly genesysClientSecret: string | null
  /** Wall-clock time in milliseconds. */
  readonly now: () => number
}

/** A wire protocol over WebSocket, at `/media/<name>`. */
export type WebSocketProtocol = {
  readonly name: string
  /** The longest binary message it may send, in bytes; 64 KiB unless given. */
  readonly longestBinary?: number
  /**
   * Looks at the upgrade before anything is allocated.
   * @returns why it is refused, for a person; `undefined` when all is well
   */
  readonly authenticate?: (upgrade: Upgrade, secrets: MediaSecrets) => string | undefined
  readonly connect: (peer: Peer) => Receiver
}

/** A message that the protocol does not allow: its connection is closed with the reason, and nobody else's. */
export class ProtocolViolation extends Error {
  constructor(reason: string) {
    super(reason)
    this.name = 'ProtocolViolation'
  }
}
