// The ports of a gateway process, and what its operator is told when one cannot be had.
import { type Config, usualAudioSocketPort } from './config.ts'
import { StartupError } from './errors.ts'
import type { createServer } from './http/server.ts'
import type { MediaParts } from './intake/media/connection.ts'
import {
  type AudioSocketListener,
  createAudioSocketListener,
} from './intake/protocols/audiosocket.ts'

/** Where a gateway listens. */
export type Addresses = {
  /** As `http://host:port`. */
  readonly url: string
  /** As `host:port`; null when it does not listen for AudioSocket. */
  readonly audioSocket: string | null
}

/**
 * Connections that wait to be accepted, as far as the system allows it. The process takes one at each turn of its event
 * loop; who finds no room tries again after 1, 3, 7 … seconds.
 */
const backlog = 4_096

/**
 * Listens on `APP_PORT`.
 * @returns where, as `http://host:port`
 * @throws StartupError when the port cannot be had
 */
export async function listenForHttp(
  server: Awaited<ReturnType<typeof createServer>>,
  { APP_HOST: host, APP_PORT: port }: Config,
): Promise<string> {
  try {
    const listenTextResolver = (url: string) => `listening on ${url}`
    return await server.listen({ host, port, backlog, listenTextResolver })
  } catch (error) {
    throw startupError(error, host, port, 'APP_PORT')
  }
}

/**
 * Listens on `AUDIOSOCKET_PORT`, unless that is off. Without the usual port, which nobody asked for, a gateway does
 * well enough.
 * @throws StartupError when a port that was asked for cannot be had
 */
export async function listenForAudioSocket(
  { APP_HOST: host, AUDIOSOCKET_PORT: setting }: Config,
  parts: MediaParts,
): Promise<AudioSocketListener | undefined> {
  if (setting === null) return undefined
  const port = setting === 'auto' ? usualAudioSocketPort : setting
  try {
    return await createAudioSocketListener({ host, port, parts })
  } catch (cause) {
    const error = startupError(cause, host, port, 'AUDIOSOCKET_PORT')
    if (setting !== 'auto' || !(error instanceof StartupError)) throw error
    parts.logger.warn(`No AudioSocket: ${error.message}`)
    return undefined
  }
}

function startupError(error: unknown, host: string, port: number, setting: string): unknown {
  const { code } = error as NodeJS.ErrnoException
  if (code === 'EADDRINUSE')
    return new StartupError(
      `Port ${port} on ${host} is in use, perhaps by another gateway. Set ${setting} to a free one.`,
    )
  if (code === 'EACCES' || code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND')
    return new StartupError(`Cannot listen on APP_HOST ${host}, ${setting} ${port}: ${code}`)
  return error
}
