// The body of a request, from bytes to a JSON value; everything that is not JSON is refused here.
import { isUtf8 } from 'node:buffer'
import type { FastifyInstance } from 'fastify'
import { GatewayError } from '../errors.ts'

/** A body that is not JSON, and where it stops being that. */
export class MalformedJson extends Error {
  /** In characters (or bytes, when the body is no UTF-8). */
  readonly offset: number

  constructor(message: string, offset: number) {
    super(message)
    this.name = 'MalformedJson'
    this.offset = offset
  }
}

/** Makes the server read `application/json`, and nothing else. */
export function acceptJsonBodies(app: FastifyInstance): void {
  app.removeAllContentTypeParsers()
  app.addContentTypeParser<Buffer>(
    'application/json',
    { parseAs: 'buffer' },
    (request, body, done) => {
      const encoding = request.headers['content-encoding']
      if (encoding !== undefined && encoding !== 'identity') {
        done(
          new GatewayError(
            'unsupported_media_type',
            `Content-Encoding ${encoding} is not accepted`,
          ),
        )
        return
      }
      try {
        done(null, parseJson(body))
      } catch (error) {
        done(error instanceof Error ? error : new Error(String(error)))
      }
    },
  )
}

/** Parses a body; an empty one is `undefined`. */
export function parseJson(body: Buffer): unknown {
  if (body.length === 0) return undefined
  if (!isUtf8(body)) throw new MalformedJson('The body is not valid UTF-8', 0)
  const text = body.toString()
  try {
    return JSON.parse(text)
  } catch {
    throw new MalformedJson('The body is not valid JSON', firstBadCharacter(text))
  }
}

/** The length of the longest prefix that some JSON text could start with. */
function firstBadCharacter(text: string): number {
  let low = 0
  let high = text.length
  while (low < high) {
    const middle = (low + high + 1) >>> 1
    if (couldGoOn(text.slice(0, middle))) low = middle
    else high = middle - 1
  }
  return low
}

/** True when the parser has nothing against the text but that it ends. */
function couldGoOn(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch (error) {
    const message = error instanceof Error ? error.message : ''
    const position = /at position (\d+)/.exec(message)?.[1]
    if (position !== undefined && Number(position) < text.length)
      return /^Unterminated/.test(message)
    return position !== undefined || /end of JSON input/.test(message)
  }
}
