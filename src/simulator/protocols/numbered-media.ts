// What Twilio and its kin have in common: JSON messages over one WebSocket, µ-law in base64, a number for
// every message and one for every packet of a track. A message has its numbers before it can be lost.
import { mediaUrl } from '../addresses.ts'
import { openWebSocket } from '../connection.ts'
import { playOn, type Step, sendingsOf } from '../playing.ts'
import type { Message, ProtocolCall, SentTrack, TrackName } from '../protocol.ts'
import { packetBytes, packetSeconds } from '../recordings.ts'
import { voicePackets } from '../voices.ts'

/** One packet as such a wire numbers it. */
export type NumberedPacket = {
  readonly track: TrackName
  /** Of the message in the stream. */
  readonly number: number
  /** Of the packet on its track, from 1. */
  readonly chunk: number
  /** Milliseconds since the start of the stream. */
  readonly milliseconds: number
  /** Base64. */
  readonly payload: string
}

/** How a vendor writes the messages; `number` counts those of the stream, the `start` being 1. */
export type NumberedWire = {
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly tracks: readonly TrackName[]
  /** What comes before the audio. */
  readonly opening: readonly object[]
  readonly media: (packet: NumberedPacket) => object
  readonly dtmf: (digit: string, number: number) => object
  readonly stop: (number: number) => object
  /** The events that the gateway may send. */
  readonly accepts: readonly string[]
}

/** Plays a call over such a wire. */
export async function playNumbered(
  call: ProtocolCall,
  wire: NumberedWire,
): Promise<readonly SentTrack[]> {
  const url = mediaUrl(call, wire.path)
  const connection = await openWebSocket(url, { headers: wire.headers }, (message) => {
    call.onMessage?.(message)
    checkEvent(message, wire.accepts)
  })
  for (const message of wire.opening) connection.send(JSON.stringify(message))
  return await playOn(connection, call, stepsOf(call, wire))
}

function stepsOf(call: ProtocolCall, wire: NumberedWire): Step[] {
  const numbers = numberMessages(call, wire.tracks.length)
  const { customer, agent } = call.voices
  const media = wire.tracks.flatMap((track, line) => {
    const voice = track === 'inbound' ? customer : agent
    return sendingsOf(call, line, true).map(({ sequence, at }): Step => {
      const chunk = (call.firstNumber ?? 1) + sequence - 1
      const from = (sequence - 1) * packetBytes
      const packet = {
        track,
        number: numbers.ofPacket(sequence, line),
        chunk,
        milliseconds: Math.round((chunk - 1) * packetSeconds * 1000),
        payload: Buffer.from(voice.subarray(from, from + packetBytes)).toString('base64'),
      }
      const message = JSON.stringify(wire.media(packet))
      return { at, message, packets: [{ track, sequence }] }
    })
  })
  const keys = (call.dtmf ?? []).map(({ at, digit }, index) => ({
    at,
    message: JSON.stringify(wire.dtmf(digit, numbers.ofKey(index))),
    packets: [],
  }))
  const end = media.reduce((latest, { at }) => Math.max(latest, at), 0) + packetSeconds
  const stop = { at: end, message: JSON.stringify(wire.stop(numbers.last)), packets: [] }
  return [...media, ...keys, stop]
}

/** Numbers the messages in the order in which they come into being, lost or not; 1 is the start. */
function numberMessages({ voices, dtmf = [] }: ProtocolCall, tracks: number) {
  const packets = voicePackets(voices)
  const packetsBefore = dtmf.map(({ at }) => Math.min(packets, Math.round(at / packetSeconds)))
  return {
    ofPacket: (sequence: number, line: number) => {
      const keys = packetsBefore.filter((before) => before < sequence).length
      return 2 + (sequence - 1) * tracks + line + keys
    },
    ofKey: (index: number) => 2 + (packetsBefore[index] ?? packets) * tracks + index,
    last: 2 + packets * tracks + dtmf.length,
  }
}

function checkEvent(message: Message, accepts: readonly string[]): void {
  if (typeof message !== 'string') throw new Error('received bytes, where only JSON is allowed')
  const { event }: { event?: unknown } = JSON.parse(message)
  if (typeof event !== 'string' || !accepts.includes(event))
    throw new Error(`received the event ${String(event)}, which does not exist`)
}
