// A PBX without a connection, for a protocol to talk to: what the protocol says is written down.
import type { IncomingHttpHeaders } from 'node:http'
import { mock } from 'node:test'
import type {
  MediaStream,
  Peer,
  Receiver,
  StreamStart,
  WebSocketProtocol,
} from '../../src/intake/media/protocol.ts'

/** A word of the protocol, with its arguments. */
export type Said = readonly [word: string, ...args: readonly unknown[]]

/** One connection of a protocol. */
export type FakeConnection = {
  readonly receiver: Receiver
  /** Everything said so far, in order; audio as hex. */
  readonly said: Said[]
  /** The streams that were begun. */
  readonly starts: StreamStart[]
  /** Parsed JSON that was sent to the PBX. */
  readonly sent: Record<string, unknown>[]
  /** Audio of all streams, one after the other. */
  readonly audio: () => Buffer
  /** Bytes that are kept for a stream to come. */
  readonly keptBytes: () => number
}

/** Connects a protocol. */
export function connectFake(
  protocol: WebSocketProtocol,
  { query = '', headers = {} }: { query?: string; headers?: IncomingHttpHeaders } = {},
): FakeConnection {
  const said: Said[] = []
  const starts: StreamStart[] = []
  const sent: Record<string, unknown>[] = []
  const chunks: Uint8Array[] = []
  let kept: Uint8Array[] = []

  function begin(start: StreamStart): MediaStream {
    starts.push(start)
    said.push(['start', start.callId])
    const word =
      (name: string) =>
      (...args: unknown[]) =>
        void said.push([name, ...args])
    const audio = (payload: Uint8Array) => {
      chunks.push(payload)
      said.push(['audio', Buffer.from(payload).toString('hex')])
    }
    for (const payload of kept) audio(payload)
    kept = []
    return {
      audio,
      packet: word('packet'),
      missing: word('missing'),
      paused: word('paused'),
      resumed: word('resumed'),
      dtmf: word('dtmf'),
      note: word('note'),
      stopped: word('stopped'),
    }
  }

  const peer: Peer = {
    query: new URLSearchParams(query),
    headers,
    keep: (payload) => void kept.push(payload),
    start: begin,
    send: (message) => void sent.push(JSON.parse(String(message)) as Record<string, unknown>),
    close: (reason) => void said.push(['close', reason]),
  }
  return {
    receiver: protocol.connect(peer),
    said,
    starts,
    sent,
    audio: () => Buffer.concat(chunks),
    keptBytes: () => kept.reduce((sum, { length }) => sum + length, 0),
  }
}

/** Lets time pass by hand until the end of the scope (`using`). */
export function stopTime(): Disposable & { readonly pass: (milliseconds: number) => void } {
  mock.timers.enable({ apis: ['setTimeout'] })
  return {
    pass: (milliseconds) => mock.timers.tick(milliseconds),
    [Symbol.dispose]: () => mock.timers.reset(),
  }
}
