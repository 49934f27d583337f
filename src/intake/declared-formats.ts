// Clients that say how their audio is coded: it is written down once for each call and track, after the first packet
// of it that is stored.
import { declareMediaFormat } from '../calls/media-formats.ts'
import type { Pool } from '../database/pool.ts'
import { GatewayError } from '../errors.ts'
import type { Ledger } from '../ledger/ledger.ts'
import type { MediaFormat } from '../ledger/media-format.ts'
import type { PacketRun, PacketSender } from '../ledger/packet.ts'
import type { Logger } from '../telemetry/logger.ts'

type Doors = Pick<Ledger, 'store' | 'append'>

/** The ledger for the packets of one client. */
export type DeclaringLedger = Doors & {
  /** Resolves when the format stands with every track of which a packet was stored; rejects if one does not. */
  readonly declared: () => Promise<void>
}

/** What clients of this process declared. */
export type DeclaredFormats = {
  /** The ledger for packets of a format. */
  readonly ledgerFor: (format: MediaFormat) => DeclaringLedger
}

/** Calls and tracks that are remembered; for an older one the statement is made again, and changes nothing. */
const mostRemembered = 10_000

/** Begins to remember. */
export function createDeclaredFormats(pool: Pool, ledger: Doors, logger: Logger): DeclaredFormats {
  /** The longest unused come first. */
  const known = new Map<string, Promise<unknown>>()

  function declare({ callId, track }: PacketRun, format: MediaFormat): Promise<unknown> {
    const key = `${callId} ${track}`
    let done = known.get(key)
    if (done === undefined) {
      const text = JSON.stringify({ ...format, clock: 'arrival' })
      done = declareMediaFormat(pool, callId, track, text)
      done.catch((error) => {
        known.delete(key)
        logger.warn({ err: error, call_id: callId, track }, 'a format was not declared')
      })
    }
    known.delete(key)
    known.set(key, done)
    if (known.size > mostRemembered) known.delete(known.keys().next().value ?? key)
    return done
  }

  return {
    ledgerFor: (format) => {
      const declarations = new Set<Promise<unknown>>()
      const senders = new WeakMap<PacketSender, PacketSender>()
      /** The same one for all packets of a sender: the ledger keeps those together. */
      const declaring = (sender: PacketSender): PacketSender => {
        const made = senders.get(sender)
        if (made !== undefined) return made
        const one: PacketSender = {
          settled: (packets, outcome) => {
            if (!(outcome instanceof GatewayError)) declarations.add(declare(packets, format))
            sender.settled(packets, outcome)
          },
        }
        senders.set(sender, one)
        return one
      }
      return {
        store: (packet, sender) => ledger.store(packet, declaring(sender)),
        append: (packet, sender) => ledger.append(packet, declaring(sender)),
        declared: async () => void (await Promise.all(declarations)),
      }
    },
  }
}
