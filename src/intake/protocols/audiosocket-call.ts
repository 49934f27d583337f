// What one AudioSocket connection says: a UUID, then audio and keys, in the end a hangup. Whose call and voice it
// is may have been announced under the UUID; nothing waits for the answer.
import type { AnnouncedStream } from '../../calls/announced-streams.ts'
import type { MediaFormat } from '../../ledger/media-format.ts'
import { type MediaStream, type Peer, ProtocolViolation } from '../media/protocol.ts'
import { audioRate, frameTypes, readUuid, showType, silenceFrame } from './audiosocket-frames.ts'

/** What a call needs of its connection. */
export type AudioSocketPeer = Pick<Peer, 'keep' | 'start' | 'close'> & {
  readonly send: (frame: Uint8Array) => void
  /** What was announced under a UUID; it waits for the database as long as it takes, and does not reject. */
  readonly findAnnounced: (uuid: string) => Promise<AnnouncedStream | undefined>
  /** Refuses what came, later than it came. */
  readonly refuse: (violation: ProtocolViolation) => void
}

/** The codes of the frame 0xff. */
const errors: Readonly<Record<number, string>> = {
  1: 'the calling party hung up',
  2: 'a frame could not be forwarded',
  4: 'out of memory',
}
/** Before its stream is begun, a call that says more than that is not heard in full. */
const mostEvents = 1_000
const silenceMs = 20

/** One connection. */
export class AudioSocketCall {
  readonly #peer: AudioSocketPeer
  #uuid: string | undefined
  #identified: Promise<void> | undefined
  /** `null` while it is asked for. */
  #announced: Partial<AnnouncedStream> | null = null
  /** The type of its audio frames. */
  #type: number | undefined
  #stream: MediaStream | undefined
  #events: ((stream: MediaStream) => void)[] = []
  #isL16 = true
  /** Audio was kept that holds half a sample. */
  #isTorn = false

  constructor(peer: AudioSocketPeer) {
    this.#peer = peer
  }

  /** In lower case; `undefined` before it came. */
  get uuid(): string | undefined {
    return this.#uuid
  }

  /**
   * Takes the next frame.
   * @throws ProtocolViolation
   */
  frame(type: number, payload: Uint8Array): void {
    if (this.#uuid === undefined) this.#identify(type, payload)
    else if (audioRate(type) !== undefined) this.#audio(type, payload)
    else if (type === frameTypes.dtmf)
      this.#tell((stream) => stream.dtmf(String.fromCharCode(payload[0] ?? 0)))
    else if (type === frameTypes.silence) this.#silence()
    else if (type === frameTypes.uuid)
      throw new ProtocolViolation('A call has one UUID, but another one came')
    else this.#hangup(type, payload[0])
  }

  /** The sender wants to hear something now and then: a frame of 20 ms without a sound. */
  keepAlive(): void {
    if (this.#uuid !== undefined) this.#peer.send(silenceFrame(this.#type ?? frameTypes.audio))
  }

  /** The connection is over. Resolves when the stream is begun, also one without any audio. */
  async over(): Promise<void> {
    await this.#identified
    this.#type ??= frameTypes.audio
    if (this.#identified !== undefined) this.#begin()
  }

  #identify(type: number, payload: Uint8Array): void {
    if (type !== frameTypes.uuid)
      throw new ProtocolViolation(
        `The first frame should be of type 0x01 (UUID), but is of type ${showType(type)}`,
      )
    this.#uuid = readUuid(payload)
    // Before anything else: Asterisk may be waiting for it, and sends no audio as long.
    this.keepAlive()
    this.#identified = this.#find(this.#uuid)
  }

  async #find(uuid: string): Promise<void> {
    this.#announced = (await this.#peer.findAnnounced(uuid)) ?? {}
    this.#begin()
  }

  #audio(type: number, payload: Uint8Array): void {
    if (this.#type === undefined) {
      this.#type = type
      this.#begin()
    }
    if (type !== this.#type)
      throw new ProtocolViolation(
        `The audio of a call should be of one type, here ${showType(this.#type)}, but is of type ${showType(type)}`,
      )
    const isTorn = payload.length % 2 === 1
    if (this.#stream === undefined) {
      this.#isTorn ||= isTorn
      this.#peer.keep(payload)
    } else if (isTorn && this.#isL16) throw torn()
    else this.#stream.audio(payload)
  }

  /** 20 ms without a sound, from senders other than Asterisk. */
  #silence(): void {
    const rate = audioRate(this.#type ?? frameTypes.audio) ?? 0
    if (this.#isL16) this.#stream?.audio(new Uint8Array((rate / 1_000) * silenceMs * 2))
  }

  #hangup(type: number, code: number | undefined): void {
    const error = code === undefined ? {} : { code, meaning: errors[code] ?? 'unknown' }
    this.#tell((stream) => {
      if (type === frameTypes.error) stream.note('error', error)
      stream.stopped(type === frameTypes.error ? { error: code ?? null } : {})
    })
    this.#peer.close('hung up')
  }

  #tell(event: (stream: MediaStream) => void): void {
    if (this.#stream !== undefined) event(this.#stream)
    else if (this.#events.length < mostEvents) this.#events.push(event)
  }

  /** Begins the stream as soon as all that it takes is known. */
  #begin(): void {
    if (this.#stream !== undefined || this.#announced === null || this.#type === undefined) return
    const uuid = this.#uuid ?? ''
    const { call_id = uuid, track = 'mixed', encoding = null } = this.#announced
    const format = formatOf(this.#type, encoding)
    this.#isL16 = format.encoding === 'L16'
    if (this.#isTorn && this.#isL16) {
      this.#peer.refuse(torn())
      return
    }
    this.#stream = this.#peer.start({
      callId: call_id,
      streamId: uuid,
      format,
      channels: [track],
      loss: 'clock',
      metadata: { uuid },
    })
    for (const event of this.#events.splice(0)) event(this.#stream)
  }
}

function torn(): ProtocolViolation {
  return new ProtocolViolation('A frame of audio should hold whole samples of 2 bytes, but is odd')
}

/** Asterisk calls everything 0x10 that it has no type for; what it is then must be announced. */
function formatOf(type: number, announced: AnnouncedStream['encoding']): MediaFormat {
  const rate = audioRate(type) ?? 8_000
  if (type !== frameTypes.audio || announced === null) return { encoding: 'L16', rate }
  if (announced === 'OPUS') return { encoding: 'OPUS', rate: 48_000 }
  return { encoding: announced, rate: announced === 'G722' ? 16_000 : rate }
}
