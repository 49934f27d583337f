// A packet as a binary message: 20 bytes of header, big-endian, then the media (docs/streams.md). Pure.
import { InvalidInput } from '../border/validation.ts'
import type { Packet, TrackName } from '../ledger/packet.ts'

const layoutVersion = 1
const headerBytes = 20
const tracks: readonly TrackName[] = ['mixed', 'inbound', 'outbound']

/**
 * Reads a frame. The payload is a part of it.
 * @param channels the calls of the channels that are open
 * @throws InvalidInput that names the field
 */
export function readBinaryPacket(frame: Buffer, channels: ReadonlyMap<number, string>): Packet {
  if (frame.length <= headerBytes)
    throw problem('length', `a header of ${headerBytes} bytes and media`, frame.length)
  const version = frame.readUInt8(0)
  if (version !== layoutVersion) throw problem('version', `${layoutVersion}`, version)
  const track = tracks[frame.readUInt8(1)]
  if (track === undefined) throw problem('track', '0, 1 or 2', frame.readUInt8(1))
  const sequence = frame.readUInt32BE(4) * 2 ** 32 + frame.readUInt32BE(8)
  if (!Number.isSafeInteger(sequence)) throw problem('sequence', 'at most 2^53 - 1', `${sequence}`)
  const timestamp = frame.readDoubleBE(12)
  if (!(timestamp > 0 && timestamp < Number.POSITIVE_INFINITY))
    throw problem('timestamp', 'a finite number greater than 0', `${timestamp}`)
  const channel = frame.readUInt16BE(2)
  const callId = channels.get(channel)
  if (callId === undefined) throw problem('channel', 'a channel that was opened', channel)
  return {
    callId,
    track,
    sequence,
    timestamp,
    encoding: 'binary',
    memory: frame,
    start: headerBytes,
    end: frame.length,
  }
}

function problem(field: string, expected: string, input: unknown): InvalidInput {
  const msg = `Input should be ${expected}`
  return new InvalidInput([{ type: 'value_error', loc: ['body', field], msg, input }])
}
