// AudioSocket: Asterisk connects by TCP, one connection for each channel. What comes is always read, whatever becomes
// of it: Asterisk ends the call of a reader that is slow. A connection that breaks the protocol is hung up.
import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { findAnnouncedStream } from '../../calls/announced-streams.ts'
import { MediaConnection, type MediaParts } from '../media/connection.ts'
import { insist } from '../media/insist.ts'
import { ProtocolViolation } from '../media/protocol.ts'
import { logRefusedConnections, type TellRefusal } from '../media/refusals.ts'
import { AudioSocketCall } from './audiosocket-call.ts'
import { FrameReader, hangupFrame } from './audiosocket-frames.ts'

/** What the listener needs. */
export type AudioSocketOptions = {
  readonly host: string
  /** 0 picks a free one. */
  readonly port: number
  readonly parts: MediaParts
  readonly times?: AudioSocketTimes
}

/** The times of a connection, in milliseconds. */
export type AudioSocketTimes = {
  /** Between two frames that keep the call alive; the other times are as exact. */
  readonly keepAlive: number
  /** How long a connection may be without its UUID. */
  readonly uuid: number
  /** How long a frame may take that has begun. */
  readonly frame: number
}

/** A listener for AudioSocket. */
export type AudioSocketListener = {
  /** Where it listens, as `host:port`. */
  readonly address: string
  /** Ends all streams where they are, and hangs up. */
  readonly close: () => Promise<void>
}

/** One connection, as the listener sees it. */
type Connected = {
  readonly refuse: (reason: string) => void
  readonly over: () => Promise<void>
  readonly hangUp: () => void
}

type Shared = {
  readonly parts: MediaParts
  readonly times: AudioSocketTimes
  readonly tellRefusal: TellRefusal
  readonly all: Set<Connected>
  /** Those whose UUID has not come. */
  readonly unknown: Set<Connected>
}

/** Asterisk ends a call on which neither side has sent anything for 2 s. */
const usualTimes: AudioSocketTimes = { keepAlive: 1_000, uuid: 5_000, frame: 10_000 }
/** Of so many connections without a UUID, the oldest makes room for the next. */
const mostUnknown = 2_000
/** How long a connection that was hung up may take to close. */
const closingMs = 1_000
const longestSettlingMs = 2_000
const protocol = 'audiosocket'

/**
 * Starts to listen; rejects with the error of the system when it cannot, such as EADDRINUSE.
 */
export async function createAudioSocketListener(
  options: AudioSocketOptions,
): Promise<AudioSocketListener> {
  const { host, port, parts, times = usualTimes } = options
  const { logger } = parts
  const tellRefusal = logRefusedConnections(logger)
  const shared: Shared = { parts, times, tellRefusal, all: new Set(), unknown: new Set() }
  const server = createServer({ noDelay: true }, (socket) => {
    connect(socket, shared)
    const [oldest] = shared.unknown
    if (shared.unknown.size > mostUnknown)
      oldest?.refuse(`Only ${mostUnknown} connections may be without a UUID, and newer ones came`)
  })

  server.listen(port, host)
  await once(server, 'listening')
  server.on('error', (error) => logger.error({ err: error, protocol }, 'cannot take connections'))
  const address = showAddress(server.address() as AddressInfo)
  logger.info({ protocol, address }, `listening on ${address} for AudioSocket`)

  return {
    address,
    close: async () => {
      server.close()
      const settling = [...shared.all].map(async ({ over, hangUp }) => {
        await over()
        hangUp()
      })
      const { promise: patience, resolve } = Promise.withResolvers<void>()
      setTimeout(resolve, longestSettlingMs).unref()
      await Promise.race([Promise.all(settling), patience])
      for (const { hangUp } of shared.all) hangUp()
    },
  }
}

/** Serves a connection until it is closed. */
function connect(socket: Socket, { parts, times, tellRefusal, all, unknown }: Shared): void {
  const { clock, logger } = parts
  const connection = new MediaConnection(parts, protocol)
  const call = new AudioSocketCall({
    keep: (payload) => connection.keep(payload),
    start: (start) => connection.start(start),
    // One that does not read needs no more of it.
    send: (frame) => void (!socket.writableNeedDrain && socket.write(frame)),
    close: hangUp,
    refuse: ({ message }) => refuse(message),
    findAnnounced: async (uuid) => {
      unknown.delete(connected)
      try {
        const [announced] = await insist(() => findAnnouncedStream(parts.record.pool, uuid))
        return announced
      } catch (error) {
        logger.error({ err: error, protocol }, 'an announcement was not looked up')
        return undefined
      }
    },
  })
  const reader = new FrameReader((type, payload) => {
    if (!isHungUp) call.frame(type, payload)
  })
  const watching = setInterval(watch, times.keepAlive)
  let isHungUp = false
  let refusal: string | undefined
  let lastFrames = 0
  let lastProgress = clock.steady()

  function watch(): void {
    const isUnknown = call.uuid === undefined
    const now = clock.steady()
    if (reader.frames > lastFrames || (!isUnknown && !reader.isWithinFrame)) {
      lastFrames = reader.frames
      lastProgress = now
    } else if (isUnknown && now - lastProgress >= times.uuid)
      refuse(`The UUID should come within ${times.uuid} ms, but did not`)
    else if (!isUnknown && now - lastProgress >= times.frame)
      refuse(`A frame should be whole within ${times.frame} ms, but is not`)
    if (!isHungUp) call.keepAlive()
  }

  function refuse(reason: string): void {
    if (isHungUp) return
    refusal = reason
    unknown.delete(connected)
    tellRefusal(protocol, reason)
    hangUp()
  }

  function hangUp(): void {
    if (isHungUp) return
    isHungUp = true
    clearInterval(watching)
    socket.end(hangupFrame)
    setTimeout(() => socket.destroy(), closingMs).unref()
  }

  async function over(): Promise<void> {
    await call.over()
    await connection.over(refusal === undefined ? {} : { reason: refusal })
  }

  socket.on('data', (chunk) => {
    if (isHungUp) return
    try {
      reader.read(chunk)
    } catch (error) {
      if (!(error instanceof ProtocolViolation))
        logger.error({ err: error, protocol }, 'a frame failed: a defect')
      refuse(error instanceof ProtocolViolation ? error.message : 'Internal error')
    }
  })
  // At once, even if it has not read all: Asterisk waits for it.
  socket.on('end', () => socket.destroy())
  socket.on('error', ({ message }) =>
    logger.debug({ protocol, reason: message }, 'a media connection broke'),
  )
  socket.on('close', () => {
    clearInterval(watching)
    all.delete(connected)
    unknown.delete(connected)
    void over()
  })

  const connected: Connected = { refuse, over, hangUp }
  all.add(connected)
  unknown.add(connected)
}

function showAddress({ address, port, family }: AddressInfo): string {
  return family === 'IPv6' ? `[${address}]:${port}` : `${address}:${port}`
}
