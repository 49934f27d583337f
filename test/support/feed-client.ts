// A supervisor: a WebSocket client of the feed that keeps everything it hears.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import WebSocket from 'ws'
import { until } from './until.ts'

/** A message as it came. */
export type FeedMessage = Readonly<Record<string, unknown>> & { readonly type: string }

/** An event: a message with a position that is not the greeting. */
export type FeedEvent = FeedMessage & { readonly position: number }

/** A connected client; it is cut off at the end of the scope (`await using`). */
export type FeedClient = AsyncDisposable & {
  readonly socket: WebSocket
  /** Everything received so far. */
  readonly messages: readonly FeedMessage[]
  /** The events received so far. */
  readonly events: () => FeedEvent[]
  /** The position of the last message that had one: what to resume from. */
  readonly position: () => number
  /** Waits until `count` events are there. */
  readonly received: (count: number) => Promise<FeedEvent[]>
  /** Waits for an event. */
  readonly sees: (callId: string, what: string) => Promise<FeedEvent>
  /** Resolves with the close code. */
  readonly closed: Promise<number>
  /** Disconnects without a word, as a network does. */
  readonly vanish: () => Promise<void>
}

/**
 * Connects and waits for the greeting.
 * @param path with its query, as `/ws/desk-3?after=12`
 */
export async function connectFeed(gatewayUrl: string, path = '/ws'): Promise<FeedClient> {
  const socket = new WebSocket(gatewayUrl.replace('http', 'ws') + path)
  const messages: FeedMessage[] = []
  socket.on('message', (data) => messages.push(JSON.parse(String(data)) as FeedMessage))
  const closed = once(socket, 'close').then(([code]) => Number(code))
  await once(socket, 'open')
  await until('the greeting', () => messages.length > 0)
  assert.equal(messages[0]?.type, 'connected')

  const events = (): FeedEvent[] =>
    messages.slice(1).filter((message): message is FeedEvent => 'position' in message)
  const vanish = async (): Promise<void> => {
    socket.terminate()
    await closed
  }
  return {
    socket,
    messages,
    events,
    position: () => Number(messages.findLast(({ position }) => position !== undefined)?.position),
    received: (count) =>
      until(`${count} events`, () => {
        const all = events()
        return all.length >= count && all
      }),
    sees: (callId, what) =>
      until(`${what} of call ${callId}`, () =>
        events().find((event) => event.call_id === callId && nameOf(event) === what),
      ),
    closed,
    vanish,
    [Symbol.asyncDispose]: vanish,
  }
}

/** What an event tells, in a word: the status that was reached, or the type of anything else. */
export function nameOf(event: FeedMessage): string {
  return event.type === 'call_update' ? String(event.status) : event.type
}

/** Fails unless the positions grow by one from event to event, without a hole, from `after` on. */
export function assertNoHoles(events: readonly FeedEvent[], after: number): void {
  assert.deepEqual(
    events.map(({ position }) => position),
    events.map((_, index) => after + index + 1),
  )
}

/** The messages in whole frames of a server; fails on any other frame than text. */
export function textsIn(frames: Buffer): string[] {
  const texts: string[] = []
  for (let at = 0; at < frames.length; ) {
    assert.equal(frames[at], 0x81, 'a whole text frame')
    const short = frames.readUInt8(at + 1)
    const header = short < 126 ? 2 : short === 126 ? 4 : 10
    const length =
      header === 2
        ? short
        : header === 4
          ? frames.readUInt16BE(at + 2)
          : Number(frames.readBigUInt64BE(at + 2))
    const end = at + header + length
    assert.ok(end <= frames.length, 'a whole frame')
    texts.push(frames.toString('utf8', at + header, end))
    at = end
  }
  return texts
}
