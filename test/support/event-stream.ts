// A client of the event stream that keeps everything it hears, in the words of the wire.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import http, { type IncomingMessage } from 'node:http'
import { until } from './until.ts'

/** An event as it came; a comment has no name. */
export type StreamedEvent = {
  readonly id: number | undefined
  readonly name: string
  readonly data: Readonly<Record<string, unknown>>
}

/** A connected client; it is cut off at the end of the scope (`await using`). */
export type EventStream = AsyncDisposable & {
  readonly response: IncomingMessage
  /** Everything received so far, comments left out. */
  readonly all: readonly StreamedEvent[]
  /** The comments received so far. */
  readonly comments: readonly string[]
  /** The events with a position, the snapshots left out. */
  readonly events: () => StreamedEvent[]
  /** Those of a name. */
  readonly named: (name: string) => StreamedEvent[]
  /** The last id received: what to resume from. */
  readonly lastId: () => string
  /** Waits for an event of a call: a status that was reached, or the name of anything else. */
  readonly sees: (callId: string, what: string) => Promise<StreamedEvent>
  /** Resolves when the stream has ended, by whomever. */
  readonly ended: Promise<void>
}

/** Connects and waits for the headers. */
export async function openStream(
  gatewayUrl: string,
  query = '',
  headers: Readonly<Record<string, string>> = {},
): Promise<EventStream> {
  const request = http.get(`${gatewayUrl}/v1/events${query}`, { headers, agent: false })
  const [response] = (await once(request, 'response')) as [IncomingMessage]
  assert.equal(response.statusCode, 200)
  const all: StreamedEvent[] = []
  const comments: string[] = []
  let lastId = ''
  let rest = ''
  response.setEncoding('utf8')
  response.on('data', (chunk: string) => {
    const blocks = (rest + chunk).split('\n\n')
    rest = blocks.pop() ?? ''
    for (const block of blocks) {
      const fields = new Map<string, string>()
      for (const line of block.split('\n')) {
        const [, field = '', value = ''] = /^([a-z]*): ?(.*)$/.exec(line) ?? []
        if (field === '') comments.push(value)
        else fields.set(field, value)
      }
      lastId = fields.get('id') ?? lastId
      const [id, data] = [fields.get('id'), fields.get('data')]
      if (data === undefined) continue
      all.push({
        id: id === undefined ? undefined : Number(id),
        name: fields.get('event') ?? 'message',
        data: JSON.parse(data) as Record<string, unknown>,
      })
    }
  })
  const ended = new Promise<void>((resolve) => {
    response.once('close', resolve)
    response.on('error', () => resolve())
  })
  const events = () => all.filter(({ id, name }) => id !== undefined && name !== 'snapshot')
  return {
    response,
    all,
    comments,
    events,
    named: (name) => all.filter((event) => event.name === name),
    lastId: () => lastId,
    sees: (callId, what) =>
      until(`${what} of call ${callId}`, () =>
        events().find(({ name, data }) => {
          const said =
            name === 'call_update' ? data.status : name === 'call_event' ? data.event : name
          return data.call_id === callId && said === what
        }),
      ),
    ended,
    [Symbol.asyncDispose]: async () => {
      request.destroy()
      await ended
    },
  }
}
