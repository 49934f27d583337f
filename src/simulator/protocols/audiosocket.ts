// Asterisk AudioSocket: TCP, frames of type, length and payload; linear PCM of both speakers on one line. As
// strict as Asterisk with what the gateway says: a frame it does not know ends the call.
import { openTcp } from '../connection.ts'
import { playOn, type Step, sendingsOf } from '../playing.ts'
import type { Message, Protocol } from '../protocol.ts'
import { linearAudio, linearPacketBytes } from '../voices.ts'

/** How Asterisk sends the audio. */
export type AudioSocketOptions = {
  /** 8000 for the dialplan application; others for a channel of such a codec. */
  readonly sampleRate?: 8000 | 16000 | 24000 | 32000 | 48000
  /** Current versions only close the connection; others say so first. */
  readonly saysHangup?: boolean
}

const defaultPort = 9092
const kinds = { hangup: 0x00, uuid: 0x01, dtmf: 0x03 } as const
const audioKinds = { 8000: 0x10, 16000: 0x12, 24000: 0x13, 32000: 0x14, 48000: 0x16 } as const
const [firstAudioKind, lastAudioKind] = [0x10, 0x18]
const headerBytes = 3

/** Builds the client. */
export function audioSocketProtocol(options: AudioSocketOptions = {}): Protocol {
  const { sampleRate = 8000, saysHangup = false } = options
  return {
    name: 'audiosocket',
    lines: [['mixed']],
    lossAccount: 'clock',
    callIds: 'uuid',
    play: async (call) => {
      const format = { channels: 'mixed', sampleRate } as const
      const audio = linearAudio(call.voices, format)
      const size = linearPacketBytes(format)
      const media = sendingsOf(call, 0, false).map(({ sequence, at }): Step => {
        const payload = audio.subarray((sequence - 1) * size, sequence * size)
        const message = frame(audioKinds[sampleRate], payload)
        return { at, message, packets: [{ track: 'mixed', sequence }] }
      })
      const keys = (call.dtmf ?? []).map(({ at, digit }) => ({
        at,
        message: frame(kinds.dtmf, Buffer.from(digit)),
        packets: [],
      }))
      const identification = frame(kinds.uuid, uuidBytes(call.callId))

      const read = createFrameReader(() => connection.cut())
      const connection = await openTcp(
        new URL(call.url).hostname.replace(/^\[|\]$/g, ''),
        call.audioSocketPort ?? defaultPort,
        (message) => {
          call.onMessage?.(message)
          read(message)
        },
      )
      connection.send(identification)
      return await playOn(connection, call, [...media, ...keys], () => {
        if (saysHangup) connection.send(frame(kinds.hangup, Buffer.alloc(0)))
      })
    },
  }
}

/** One frame, in one piece: it has to leave in one write. */
function frame(kind: number, payload: Uint8Array): Buffer {
  const bytes = Buffer.alloc(headerBytes + payload.length)
  bytes.writeUInt8(kind, 0)
  bytes.writeUInt16BE(payload.length, 1)
  bytes.set(payload, headerBytes)
  return bytes
}

function uuidBytes(callId: string): Buffer {
  const hex = callId.replaceAll('-', '')
  if (!/^[0-9a-f]{32}$/i.test(hex)) throw new Error(`AudioSocket needs a UUID, not ${callId}`)
  return Buffer.from(hex, 'hex')
}

/** Reads the frames of the gateway, wherever they are split. */
function createFrameReader(onHangup: () => void): (message: Message) => void {
  let unread = Buffer.alloc(0)
  return (message) => {
    unread = Buffer.concat([unread, Buffer.from(message as Uint8Array)])
    while (unread.length >= headerBytes) {
      const kind = unread.readUInt8(0)
      const length = unread.readUInt16BE(1)
      if (unread.length < headerBytes + length) return
      unread = unread.subarray(headerBytes + length)
      if (kind === kinds.hangup) {
        onHangup()
        return
      }
      if (kind < firstAudioKind || kind > lastAudioKind)
        throw new Error(`received an AudioSocket frame other than hangup or audio: type ${kind}`)
      if (length < 1) throw new Error('received an AudioSocket audio frame without audio')
    }
  }
}
