// Genesys AudioHook v2: stereo µ-law in frames of 200 ms, and a conversation beside it, in which every message
// of the PBX tells its position in the audio; what is lost on the way is a position without bytes.
import { randomUUID } from 'node:crypto'
import { mediaUrl } from '../addresses.ts'
import { type Connection, openWebSocket } from '../connection.ts'
import { playSteps, type Step, sendingsOf, timelineOf } from '../playing.ts'
import type { Protocol, ProtocolCall, SentTrack, TrackName } from '../protocol.ts'
import { packetBytes, packetSeconds } from '../recordings.ts'
import { voicePackets } from '../voices.ts'
import { genesysHeaders } from './genesys-headers.ts'
import { createGenesysSession, type GenesysSession } from './genesys-session.ts'

/** How the integration behaves. */
export type GenesysOptions = {
  /** Packets of 20 ms in a frame; default 10. */
  readonly packetsPerFrame?: number
  /** Only asks whether somebody is there: no call, no audio. */
  readonly isProbe?: boolean
}

type GenesysStep = Step & {
  /** A frame of audio: the packets that it reaches up to. */
  readonly reaches?: number
  readonly isPing?: boolean
}

const tracks: readonly TrackName[] = ['inbound', 'outbound']
const organizationId = 'd7934305-0972-4844-938e-9060eef73d05'
const probeId = '00000000-0000-0000-0000-000000000000'
const media = [
  { type: 'audio', format: 'PCMU', channels: ['external', 'internal'], rate: 8000 },
] as const
const [firstPing, pingEvery] = [1, 5]

/** Builds the client. */
export function genesysProtocol(options: GenesysOptions = {}): Protocol {
  const { packetsPerFrame = 10, isProbe = false } = options
  return {
    name: 'genesys',
    lines: [tracks],
    lossAccount: 'reported',
    callIds: 'uuid',
    play: async (call) => {
      const sessionId = call.streamId ?? randomUUID()
      const headers = genesysHeaders(call, { organizationId, sessionId })
      const url = mediaUrl(call, '/media/genesys')
      const connection: Connection = await openWebSocket(url, { headers }, (message) => {
        call.onMessage?.(message)
        session.hear(message)
      })
      const session = createGenesysSession(sessionId, connection)
      try {
        await session.open({
          organizationId,
          conversationId: call.callId,
          participant: {
            id: isProbe ? probeId : randomUUID(),
            ani: '+15550100',
            aniName: 'Simulator',
            dnis: '+15550199',
          },
          media,
          language: 'en-US',
          customConfig: call.parameters,
        })
        const steps = isProbe ? [] : stepsOf(call, packetsPerFrame)
        const sent = await playSession(steps, call, session, connection)
        if (sent.isCut) return sent.tracks
        await session.close()
        await connection.close()
        return sent.tracks
      } finally {
        connection.cut()
      }
    },
  }
}

async function playSession(
  steps: readonly GenesysStep[],
  call: ProtocolCall,
  session: GenesysSession,
  connection: Connection,
): Promise<{ readonly tracks: readonly SentTrack[]; readonly isCut: boolean }> {
  return await playSteps(steps, call, {
    deliver: async ({ message, reaches, isPing }) => {
      if (isPing === true) await session.ping()
      else if (reaches === undefined) connection.send(message)
      else return session.advance(reaches * packetSeconds, message)
      return true
    },
    drained: connection.drained,
  })
}

function stepsOf(call: ProtocolCall, packetsPerFrame: number): GenesysStep[] {
  const { customer, agent } = call.voices
  const packets = voicePackets(call.voices)
  const frames: GenesysStep[] = []
  const sendings = sendingsOf(call, 0, false)
  for (let from = 0; from < packets; from += packetsPerFrame) {
    const reaches = Math.min(packets, from + packetsPerFrame)
    const inFrame = sendings.filter(({ sequence }) => sequence > from && sequence <= reaches)
    frames.push({
      at: Math.max(reaches * packetSeconds, inFrame.at(-1)?.at ?? 0),
      message: Buffer.concat(
        inFrame.map(({ sequence }) => {
          const [start, end] = [(sequence - 1) * packetBytes, sequence * packetBytes]
          return interleave(customer.subarray(start, end), agent.subarray(start, end))
        }),
      ),
      packets: inFrame.flatMap(({ sequence }) => tracks.map((track) => ({ track, sequence }))),
      reaches,
    })
  }
  const end = frames.at(-1)?.at ?? 0
  const pings: GenesysStep[] = []
  for (let at = firstPing; at < end; at += pingEvery)
    pings.push({ at, message: '', packets: [], isPing: true })
  return timelineOf(call, [...frames, ...pings])
}

function interleave(left: Uint8Array, right: Uint8Array): Buffer {
  const bytes = Buffer.alloc(left.length * 2)
  for (const [index, sample] of left.entries()) {
    bytes[index * 2] = sample
    bytes[index * 2 + 1] = right[index] ?? 0
  }
  return bytes
}
