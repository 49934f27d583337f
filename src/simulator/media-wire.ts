// A media protocol as a wire: nothing is acknowledged, the call ends by itself, and the gateway's loss account
// of every track tells whether all of it arrived.
import type { CallWire, SimulatedCall } from './call-wire.ts'
import type { Clock } from './clock.ts'
import type { GatewayClient } from './gateway-client.ts'
import { inOrder } from './plan.ts'
import type { Protocol, ProtocolCall, SentPacket } from './protocol.ts'
import { qualityDifferences, transcriptDifferences, truthOf } from './quality.ts'
import { packetCount, packetSeconds } from './recordings.ts'
import { splitVoices } from './voices.ts'

/** What a call over a media protocol needs. */
export type MediaWireParts = {
  readonly client: GatewayClient
  readonly clock: Clock
  readonly settings: Pick<ProtocolCall, 'url' | 'audioSocketPort' | 'secrets' | 'rate'>
}

/** Beyond this share of lost packets, words are lost with them. */
const mostLossForWords = 0.1

/** Builds the wire of a call. */
export function createMediaWire(
  { id, recording, plans: drawn }: SimulatedCall,
  protocol: Protocol,
  { client, clock, settings }: MediaWireParts,
): CallWire {
  const { lines, lossAccount } = protocol
  const plans = lossAccount === 'numbers' ? drawn : drawn.map(inOrder)
  const packets = packetCount(recording)
  const tracks = lines.flat().map((track) => ({ track, sequences: [] as number[] }))
  const ofLines = (figure: (plan: (typeof plans)[number]) => number) =>
    plans.reduce((sum, plan, line) => sum + figure(plan) * (lines[line]?.length ?? 0), 0)
  const truths = () => tracks.map((track) => truthOf(track, lossAccount, packets))

  function note({ track, sequence }: SentPacket): void {
    tracks.find((one) => one.track === track)?.sequences.push(sequence)
  }

  return {
    planned: ofLines((plan) => plan.packets.length),
    counts: 'sent',
    isExact: lossAccount !== 'clock',
    play: async (onCount, signal) => {
      const onPacket = (packet: SentPacket) => {
        note(packet)
        onCount()
      }
      const call = { ...settings, callId: id, voices: splitVoices(recording), plans }
      await protocol.play({ ...call, clock, signal, onPacket })
    },
    figures: () => ({
      sent: truths().reduce((sum, { sent }) => sum + sent, 0),
      acknowledged: undefined,
      duplicated: truths().reduce((sum, { duplicates }) => sum + duplicates, 0),
      dropped: ofLines((plan) => plan.dropped.length),
    }),
    compare: async ({ status, transcription }) => {
      const quality = await client.readQuality(id)
      const missing = quality.map(({ missing_count: count, missing_ms: ms }) =>
        lossAccount === 'numbers' ? count : (ms ?? 0) / (packetSeconds * 1000),
      )
      const hears = (speaker: 'customer' | 'agent') =>
        tracks.some(({ track }) =>
          [speaker === 'customer' ? 'inbound' : 'outbound', 'mixed'].includes(track),
        )
      const turns = recording.turns.filter(({ speaker }) => hears(speaker))
      const isHeard =
        status === 'ARCHIVED' &&
        plans.every(({ dropped }) => dropped.length <= packets * mostLossForWords)
      return {
        missing: Math.round(missing.reduce((sum, packets) => sum + packets, 0)),
        differences: [
          ...qualityDifferences(truths(), lossAccount, quality),
          ...(isHeard ? transcriptDifferences(turns, transcription ?? '') : []),
        ],
      }
    },
  }
}
