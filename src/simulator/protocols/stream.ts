// The gateway's own WebSocket (docs/streams.md): packets in binary, numbered on each track; the call is
// complete when the gateway says so, and by then everything is stored.
import { mediaUrl } from '../addresses.ts'
import { openWebSocket } from '../connection.ts'
import { playOn, type Step, sendingsOf } from '../playing.ts'
import type { Protocol, ProtocolCall } from '../protocol.ts'
import { packetBytes, packetSeconds } from '../recordings.ts'

const completionTimeoutMs = 30_000
const headerBytes = 20
const layoutVersion = 1
const speakers = [
  { track: 'inbound', voice: 'customer', code: 1 },
  { track: 'outbound', voice: 'agent', code: 2 },
] as const

/** The client. */
export const streamProtocol: Protocol = {
  name: 'stream',
  lines: [['inbound'], ['outbound']],
  lossAccount: 'numbers',
  callIds: 'any',
  play: async (call) => {
    const completed = Promise.withResolvers<void>()
    const path = `/v1/call/stream/${encodeURIComponent(call.callId)}?encoding=PCMU&rate=8000`
    const url = mediaUrl(call, path)
    const connection = await openWebSocket(url, {}, (message) => {
      call.onMessage?.(message)
      const { type } = JSON.parse(String(message))
      if (type === 'error') throw new Error(`the gateway refused something: ${message}`)
      if (type === 'completed') completed.resolve()
    })
    return await playOn(connection, call, packetSteps(call), async () => {
      connection.send(JSON.stringify({ type: 'complete' }))
      await connection.waitFor(completed.promise, completionTimeoutMs, 'the call was not completed')
    })
  },
}

function packetSteps(call: ProtocolCall): Step[] {
  const started = call.clock.now()
  return speakers.flatMap(({ track, voice, code }, line) =>
    sendingsOf(call, line, true).map(({ sequence, at }): Step => {
      const number = (call.firstNumber ?? 1) + sequence - 1
      const message = Buffer.alloc(headerBytes + packetBytes)
      message.writeUInt8(layoutVersion, 0)
      message.writeUInt8(code, 1)
      message.writeBigUInt64BE(BigInt(number), 4)
      message.writeDoubleBE(started + (number - 1) * packetSeconds, 12)
      const from = (sequence - 1) * packetBytes
      message.set(call.voices[voice].subarray(from, from + packetBytes), headerBytes)
      return { at, message, packets: [{ track, sequence }] }
    }),
  )
}
