// Genesys Cloud AudioHook, version 2: the server's side of a session. The client says who is who, and in every message
// at which position of the audio it is; only the client closes. https://developer.genesys.cloud/devapps/audiohook
import { sampleBytes } from '../../ledger/media-format.ts'
import { parseMessage, readCallId } from '../media/message.ts'
import {
  type MediaStream,
  type Peer,
  ProtocolViolation,
  type Receiver,
  type WebSocketProtocol,
} from '../media/protocol.ts'
import { Dialogue } from './genesys-dialogue.ts'
import {
  type CloseReason,
  chooseMedium,
  type Envelope,
  isUuid,
  type Medium,
  nullUuid,
  readClose,
  readDiscarded,
  readDtmf,
  readEnvelope,
  readError,
  readOpen,
  readUpdate,
  secondsOf,
  trackOf,
} from './genesys-messages.ts'
import { AudioPosition } from './genesys-position.ts'
import { genesysAuthenticator } from './genesys-signature.ts'
import { firstOf } from './linear.ts'

/**
 * - `new`: `open` is to come
 * - `open`, `paused`: audio comes, or must not
 * - `refused`: the client was told to disconnect; it shall close, and nothing else that it says counts
 * - `closed`: by the client; it shall end the connection
 */
type State = 'new' | 'open' | 'paused' | 'refused' | 'closed'

/** A client that does not end the connection in that time has it ended. */
const patienceMs = 10_000
const longestNote = 500

class Session {
  readonly #peer: Peer
  readonly #dialogue: Dialogue
  #state: State = 'new'
  #medium: Medium | undefined
  #stream: MediaStream | undefined
  #position: AudioPosition | undefined
  #patience: NodeJS.Timeout | undefined

  constructor(peer: Peer) {
    const id = header(peer, 'audiohook-session-id')
    const isKnown = id !== undefined && isUuid(id) && id !== nullUuid
    this.#peer = peer
    this.#dialogue = new Dialogue(isKnown ? id : undefined, peer.send)
  }

  text(text: string): void {
    if (this.#state === 'closed') return
    this.#obey(() => {
      if (this.#state !== 'refused') this.#hear(this.#dialogue.hear(text))
      else if (readEnvelope(parseMessage(text)).type === 'close') this.#close('disconnect')
    })
  }

  binary(payload: Buffer): void {
    if (this.#state !== 'closed' && this.#state !== 'refused')
      this.#obey(() => this.#hearAudio(payload))
  }

  closed(): void {
    clearTimeout(this.#patience)
  }

  /** A violation is told to the client, which then closes; one that has not even said who it is, is cut off. */
  #obey(act: () => void): void {
    try {
      act()
    } catch (error) {
      if (!(error instanceof ProtocolViolation) || this.#dialogue.id === undefined) throw error
      if (this.#state !== 'refused') this.#disconnect('error', error.message)
    }
  }

  #hear({ type, position, parameters }: Envelope): void {
    const isNew = this.#state === 'new'
    if (type === 'open' && isNew) {
      this.#open(position, parameters)
    } else if (type === 'ping') {
      this.#reached(secondsOf(position))
      this.#dialogue.say('pong')
    } else if (type === 'close') {
      this.#reached(secondsOf(position))
      this.#close(readClose(parameters).reason)
    } else if (type === 'error') {
      const { code, message } = readError(parameters)
      this.#stream?.note('error', { code, message: shorten(message) })
    } else if (isNew || type === 'open') {
      throw new ProtocolViolation(`${shorten(type)} came ${isNew ? 'before open' : 'twice'}`)
    } else this.#hearOpen(type, secondsOf(position), parameters)
  }

  /** What is said while a session is open; what later versions say as well is noted. */
  #hearOpen(type: string, position: number, parameters: unknown): void {
    if (type === 'resumed' || type === 'discarded') {
      const { start, discarded } = readDiscarded(parameters)
      this.#reached(secondsOf(start) + secondsOf(discarded))
    }
    this.#reached(position)
    if (type === 'paused') {
      this.#state = 'paused'
      this.#stream?.paused()
    } else if (type === 'resumed') {
      this.#state = 'open'
      this.#stream?.resumed()
    } else if (type === 'update') {
      const { language } = readUpdate(parameters)
      this.#stream?.note('update', { language })
      this.#dialogue.say('updated')
    } else if (type === 'dtmf') this.#stream?.dtmf(readDtmf(parameters).digit)
    else if (type !== 'discarded') this.#stream?.note('unknown message', { type: shorten(type) })
  }

  #open(position: string, parameters: unknown): void {
    const { media, supportedLanguages, ...metadata } = readOpen(parameters)
    const { organizationId, conversationId, customConfig = {} } = metadata
    const organization = header(this.#peer, 'audiohook-organization-id')
    if (organization !== undefined && organization !== organizationId) {
      this.#disconnect('unauthorized', 'organizationId differs from Audiohook-Organization-Id')
      return
    }
    const medium = chooseMedium(media)
    if (medium === undefined)
      throw new ProtocolViolation('media should offer audio in PCMU or L16 at 8000 Hz')
    const found = firstOf(customConfig, ['callId', 'call_id'])
    const callId = readCallId(found?.value ?? conversationId, found?.name ?? 'conversationId')
    this.#dialogue.say('opened', {
      startPaused: false,
      media: [medium],
      ...(supportedLanguages === true ? { supportedLanguages: [] } : {}),
    })
    this.#state = 'open'
    if (conversationId === nullUuid) return
    const { format: encoding, rate, channels } = medium
    this.#medium = medium
    this.#position = new AudioPosition(rate, secondsOf(position))
    this.#stream = this.#peer.start({
      callId,
      streamId: this.#dialogue.id ?? conversationId,
      format: { encoding, rate },
      channels: channels.map((channel) => trackOf[channel]),
      loss: 'reported',
      metadata,
    })
  }

  #hearAudio(payload: Buffer): void {
    const medium = this.#medium
    // What is said while the audio is paused is nothing to store: card numbers, for one.
    if (this.#state !== 'open' || medium === undefined)
      throw new ProtocolViolation(
        `Audio came while the session was ${medium === undefined ? 'not open' : this.#state}`,
      )
    const frame = medium.channels.length * (sampleBytes(medium.format) ?? 1)
    if (payload.length % frame !== 0)
      throw new ProtocolViolation(
        `Audio should come in multiples of ${frame} bytes, but ${payload.length} came`,
      )
    if (payload.length === 0) return
    this.#position?.came(payload.length / frame)
    this.#stream?.audio(payload)
  }

  /** The client is at a position, in seconds: what lies before it and has not come, will not come. */
  #reached(position: number): void {
    const milliseconds = this.#position?.reached(position) ?? 0
    const cause = this.#state === 'paused' ? 'paused' : 'reported'
    if (milliseconds > 0) this.#stream?.missing(milliseconds, cause)
  }

  /** Only `end` says that the call is over; after anything else another session may continue it. */
  #close(reason: CloseReason): void {
    this.#dialogue.say('closed')
    this.#state = 'closed'
    if (reason === 'end') this.#stream?.stopped({ reason })
    else this.#stream?.note('closed', { reason })
    this.#awaitEnd('The session is closed')
  }

  #disconnect(reason: 'error' | 'unauthorized', info: string): void {
    this.#state = 'refused'
    this.#stream?.note('refused', { reason: info })
    this.#dialogue.say('disconnect', { reason, info })
    this.#awaitEnd(info)
  }

  #awaitEnd(reason: string): void {
    clearTimeout(this.#patience)
    this.#patience = setTimeout(() => this.#peer.close(reason), patienceMs).unref()
  }
}

function header(peer: Peer, name: string): string | undefined {
  const value = peer.headers[name]
  return typeof value === 'string' ? value.trim() : undefined
}

function shorten(text: string): string {
  return text.slice(0, longestNote).toWellFormed()
}

/** Genesys Cloud AudioHook. */
export const genesys: WebSocketProtocol = {
  name: 'genesys',
  authenticate: genesysAuthenticator(),
  connect: (peer): Receiver => {
    const session = new Session(peer)
    return {
      text: (text) => session.text(text),
      binary: (payload) => session.binary(payload),
      closed: () => session.closed(),
    }
  },
}
