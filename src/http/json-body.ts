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
      done(null, parsed(body))
    },
  )
  app.addHook('preValidation', async ({ body }) => {
    if (body instanceof Error) throw body
  })
}

/** After an error here the framework would close the connection, which was read to the end of the body. */
function parsed(body: Buffer): unknown {
  try {
    return parseJson(body)
  } catch (error) {
    return error
  }
}
