// A client of the stream of lines: it writes when it is told to, and hears the answer whenever that comes.
import { request } from 'node:http'
import { until } from './until.ts'

/** The answer to a stream. */
export type StreamAnswer = {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: Readonly<Record<string, unknown>>
}

/** A request whose body is not over. */
export type LineStream = Disposable & {
  /** Resolves when the system has taken it, or the connection is gone. */
  readonly write: (bytes: string | Buffer) => Promise<void>
  /** Ends the body; the answer. */
  readonly end: () => Promise<StreamAnswer>
  /** The answer, which may come before the end. */
  readonly answer: () => Promise<StreamAnswer>
  readonly hasAnswer: () => boolean
  /** Breaks off. */
  readonly cut: () => void
}

/** What may differ. */
export type LineStreamOptions = {
  readonly query?: string
  readonly headers?: Readonly<Record<string, string>>
}

/** A packet as a line, without its end. */
export function lineOf(sequence: unknown, more: Readonly<Record<string, unknown>> = {}): string {
  return JSON.stringify({ sequence, data: `packet ${sequence}`, timestamp: 1, ...more })
}

/** Begins a stream of a call. */
export function openLines(
  url: string,
  callId: string,
  { query = '', headers = {} }: LineStreamOptions = {},
): LineStream {
  const outgoing = request(`${url}/v1/call/stream/${callId}${query}`, {
    method: 'POST',
    headers: {
      'content-type': 'application/x-ndjson',
      // Whether it is closed is for the gateway to say.
      connection: 'keep-alive',
      ...headers,
    },
    agent: false,
  })
  let answer: StreamAnswer | undefined
  let failure: Error | undefined
  outgoing.flushHeaders()
  // One that comes after the answer is no failure: a refused stream is not read to its end.
  outgoing.on('error', (error) => {
    failure = error
  })
  outgoing.on('response', (incoming) => {
    let text = ''
    incoming.setEncoding('utf8')
    incoming.on('data', (chunk: string) => {
      text += chunk
    })
    incoming.on('end', () => {
      const body = JSON.parse(text) as StreamAnswer['body']
      answer = { status: incoming.statusCode ?? 0, headers: incoming.headers, body }
    })
  })

  const heard = () =>
    until('an answer', () => {
      if (answer === undefined && failure !== undefined) throw failure
      return answer
    })
  return {
    write: async (bytes) => {
      if (outgoing.destroyed) return
      const { promise, resolve } = Promise.withResolvers<void>()
      outgoing.once('close', resolve)
      outgoing.write(bytes, () => resolve())
      await promise
      outgoing.removeListener('close', resolve)
    },
    end: async () => {
      outgoing.end()
      return await heard()
    },
    answer: heard,
    hasAnswer: () => answer !== undefined,
    cut: () => outgoing.destroy(),
    [Symbol.dispose]: () => outgoing.destroy(),
  }
}

/** Sends a whole stream; the answer. */
export async function postLines(
  url: string,
  callId: string,
  body: string | Buffer,
  options: LineStreamOptions = {},
): Promise<StreamAnswer> {
  using stream = openLines(url, callId, options)
  await stream.write(body)
  return await stream.end()
}
