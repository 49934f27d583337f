// The wires on which a text says what the audio is, and then linear PCM comes in binary messages of any length: no
// numbers, no timestamps. Audio may come before the text, or without one.
import { randomUUID } from 'node:crypto'
import { readCallId } from '../media/message.ts'
import type { MediaStream, Peer, Receiver, StreamStart } from '../media/protocol.ts'

/** What is different from wire to wire. */
export type LinearWire = {
  /**
   * What the stream is.
   * @param text the first text; `undefined` when audio came and no text did
   * @throws ProtocolViolation when that does not say it
   */
  readonly begin: (text: string | undefined) => LinearStart
  /** How long audio waits for the text; unless for ever, {@link LinearWire.begin} can do without it. */
  readonly patience: 'none' | 'a moment' | 'for ever'
  /** Hears a text that is no beginning. */
  readonly hear: (stream: MediaStream, text: string) => void
}

/** How a stream of linear PCM begins. */
export type LinearStart = Pick<StreamStart, 'callId' | 'channels'> & {
  /** The protocol's own id of the stream, if it has one; else that of the call. */
  readonly streamId?: string
  /** Samples a second. */
  readonly rate: number
  readonly metadata: Readonly<Record<string, unknown>>
  /** What nobody said, and what it was taken for. */
  readonly assumed?: Readonly<Record<string, unknown>>
  /** The first text was no beginning, but something to be heard. */
  readonly isHeardToo?: boolean
}

const momentMs = 1_000
/** So much audio waits at most: 1 s of the richest format. */
const mostWaitingBytes = 256_000

/** Hears one connection. An empty message asks for a graceful end: the call is over, and the gateway closes. */
export function hearLinear(peer: Peer, wire: LinearWire): Receiver {
  let stream: MediaStream | undefined
  let waitingBytes = 0
  let moment: NodeJS.Timeout | undefined
  let isOver = false

  function begin(text?: string): void {
    const { rate, streamId, assumed, isHeardToo = false, ...start } = wire.begin(text)
    stream = peer.start({
      ...start,
      streamId: streamId ?? start.callId,
      format: { encoding: 'L16', rate },
      loss: 'clock',
    })
    if (assumed !== undefined) stream.note('assumed', assumed)
    if (isHeardToo && text !== undefined) wire.hear(stream, text)
  }

  function wait(message: Buffer): void {
    peer.keep(message)
    waitingBytes += message.length
    if (wire.patience === 'none' || waitingBytes >= mostWaitingBytes) begin()
    else if (wire.patience === 'a moment') moment ??= setTimeout(closed, momentMs)
  }

  function closed(): void {
    clearTimeout(moment)
    if (stream === undefined && waitingBytes > 0 && wire.patience !== 'for ever') begin()
  }

  return {
    text: (text) => {
      if (isOver) return
      if (stream === undefined) begin(text)
      else wire.hear(stream, text)
    },
    binary: (message) => {
      if (isOver) return
      if (message.length === 0) {
        isOver = true
        closed()
        stream?.stopped()
        peer.close('The call is over')
      } else if (stream === undefined) wait(message)
      else stream.audio(message)
    },
    closed,
  }
}

/** The first of some fields that holds a text or a number; `undefined` when none does. */
export function firstOf(
  fields: Readonly<Record<string, unknown>>,
  names: readonly string[],
): { readonly name: string; readonly value: string } | undefined {
  for (const name of names) {
    const value = fields[name]
    if (typeof value === 'string' || typeof value === 'number')
      return { name, value: String(value) }
  }
  return undefined
}

/**
 * The id of a call that may not have one of its own.
 * @returns a drawn one, which begins with the name of the protocol, when there is none
 * @throws ProtocolViolation when it cannot be the id of a call
 */
export function chooseCallId(
  found: { readonly name: string; readonly value: string } | undefined,
  protocol: string,
): { readonly callId: string; readonly isDrawn: boolean } {
  return found === undefined
    ? { callId: `${protocol}-${randomUUID()}`, isDrawn: true }
    : { callId: readCallId(found.value, found.name), isDrawn: false }
}

const longestNote = 1_000

/** Notes a text that nothing else is known of, shortened. */
export function noteText(stream: MediaStream, text: string): void {
  const storable = text.slice(0, longestNote).toWellFormed().replaceAll('\0', '\ufffd')
  stream.note('text', { text: storable })
}
