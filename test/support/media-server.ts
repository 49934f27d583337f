// The doors for media over WebSocket without the rest of a gateway, by a clock of the test's own.
import type { Pool } from '../../src/database/pool.ts'
import { createServer } from '../../src/http/server.ts'
import type { MediaClock } from '../../src/intake/media/media-stream.ts'
import { webSocketProtocols } from '../../src/intake/media/protocols.ts'
import { createMediaSockets } from '../../src/intake/media/sockets.ts'
import { openMediaParts } from './media-parts.ts'

/** A server; it is closed at the end of the scope (`await using`). */
export type MediaServer = AsyncDisposable & { readonly url: string }

/** Starts one. */
export async function serveMedia(pool: Pool, clock: MediaClock): Promise<MediaServer> {
  const media = openMediaParts(pool)
  const sockets = createMediaSockets({
    protocols: webSocketProtocols,
    parts: { ...media.parts, clock },
    secrets: {
      publicUrl: null,
      twilioAuthToken: null,
      fonosterSecret: null,
      genesysApiKey: null,
      genesysClientSecret: null,
      now: Date.now,
    },
  })
  const server = await createServer(media.parts.logger, '0.0.0')
  await server.register(sockets.routes)
  const url = await server.listen({ host: '127.0.0.1', port: 0 })
  return {
    url,
    [Symbol.asyncDispose]: async () => {
      await sockets.close()
      await server.close()
      await media[Symbol.asyncDispose]()
    },
  }
}
