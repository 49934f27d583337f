// The bodies of requests: JSON, and nothing else unless a route says so.
import type { FastifyInstance } from 'fastify'
import { encodingRefusal } from '../border/content-encoding.ts'
import { parseJson } from '../border/json.ts'

/** Makes the server read `application/json`, and nothing else. */
export function acceptJsonBodies(app: FastifyInstance): void {
  app.removeAllContentTypeParsers()
  app.addContentTypeParser<Buffer>(
    'application/json',
    { parseAs: 'buffer' },
    (request, body, done) => {
      const refusal = encodingRefusal(request.headers)
      if (refusal !== undefined) {
        done(refusal)
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
