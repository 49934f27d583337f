// Asterisk at the other end of an AudioSocket, byte by byte.
import { once } from 'node:events'
import { connect } from 'node:net'

/** A connection; it is cut at the end of the scope (`using`). */
export type AudioSocketClient = Disposable & {
  readonly send: (...frames: Uint8Array[]) => void
  /** Everything that came so far. */
  readonly received: () => Buffer
  /** Ends it as Asterisk does. */
  readonly end: () => void
  /** Resolves when the other end has closed it, too. */
  readonly closed: Promise<void>
}

/** Connects to `host:port`. */
export async function connectAudioSocket(address: string): Promise<AudioSocketClient> {
  const { hostname, port } = new URL(`tcp://${address}`)
  const socket = connect({ host: hostname, port: Number(port), noDelay: true })
  const chunks: Buffer[] = []
  socket.on('data', (chunk) => chunks.push(chunk))
  socket.on('error', () => {})
  const closed = new Promise<void>((resolve) => socket.on('close', () => resolve()))
  await once(socket, 'connect')
  return {
    send: (...frames) => void socket.write(Buffer.concat(frames)),
    received: () => Buffer.concat(chunks),
    end: () => void socket.end(),
    closed,
    [Symbol.dispose]: () => void socket.destroy(),
  }
}

/** A frame. */
export function audioSocketFrame(type: number, payload: Uint8Array = Buffer.alloc(0)): Buffer {
  const header = Buffer.from([type, payload.length >> 8, payload.length & 255])
  return Buffer.concat([header, payload])
}

/** The first frame of a call. */
export function uuidFrame(uuid: string): Buffer {
  return audioSocketFrame(0x01, Buffer.from(uuid.replaceAll('-', ''), 'hex'))
}

/** Audio of 8 kHz in frames of 20 ms. */
export function audioFrames(audio: Uint8Array, type = 0x10, size = 320): Buffer[] {
  return Array.from({ length: Math.ceil(audio.length / size) }, (_, index) =>
    audioSocketFrame(type, audio.subarray(index * size, (index + 1) * size)),
  )
}
