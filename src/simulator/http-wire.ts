// The gateway's HTTP API as a wire: a request for each packet, many at a time, each repeated until it is
// acknowledged; and another one that completes the call.
import { countMissing, differencesOf, parseMissing } from './account.ts'
import type { CallWire, SimulatedCall } from './call-wire.ts'
import type { Clock } from './clock.ts'
import type { GatewayClient } from './gateway-client.ts'
import { perfectPlan } from './plan.ts'
import { packetCount, packetData, packetSeconds } from './recordings.ts'

/** What a call over HTTP needs. */
export type HttpWireParts = {
  readonly client: GatewayClient
  readonly clock: Clock
  /** As in `SimulationOptions`. */
  readonly rate: number
}

const mostInFlight = 32

/** Builds the wire of a call. */
export function createHttpWire(
  { id, recording, plans }: SimulatedCall,
  { client, clock, rate }: HttpWireParts,
): CallWire {
  const plan = plans[0] ?? perfectPlan(packetCount(recording))
  const sent = new Set<number>()
  const acknowledged = new Set<number>()

  async function send(sequence: number, timestamp: number, onPacket: () => void): Promise<void> {
    sent.add(sequence)
    const data = packetData(recording, sequence - 1)
    await client.sendPacket(id, { sequence, data, timestamp })
    acknowledged.add(sequence)
    onPacket()
  }

  return {
    planned: plan.packets.length,
    counts: 'acknowledged',
    isExact: true,
    play: async (onPacket, signal) => {
      const start = clock.now()
      const inFlight = new Set<Promise<void>>()
      const failures: unknown[] = []
      for (const { sequence, at } of plan.packets) {
        if (rate > 0) await clock.wait(start + at / rate - clock.now(), signal)
        if (inFlight.size === mostInFlight) await Promise.race(inFlight)
        if (failures.length > 0) break
        const sending = send(sequence, start + (sequence - 1) * packetSeconds, onPacket)
          .catch((error: unknown) => void failures.push(error))
          .finally(() => inFlight.delete(sending))
        inFlight.add(sending)
      }
      await Promise.all(inFlight)
      if (failures.length > 0) throw failures[0]
      await client.completeCall(id)
    },
    figures: () => ({
      sent: sent.size,
      acknowledged: acknowledged.size,
      duplicated: plan.duplicated.length,
      dropped: plan.dropped.length,
    }),
    compare: async (account) => ({
      missing: countMissing(parseMissing(account.missing_packets) ?? []),
      differences: differencesOf(plan, account),
    }),
  }
}
