// Load: clients that each play one call after the other, packet by packet, and hang up.
import { hashText, seededRandom } from '../../src/random.ts'
import type { Sender } from './sender.ts'

/** How much load there is. */
export type LoadOptions = {
  readonly clients: number
  readonly packetsPerCall: number
  /** Packets of one call that are under way at once. */
  readonly window: number
  readonly seed: number
}

/** Running load. */
export type Load = {
  /** Lets every client end its call; resolves with all calls played, each completed. */
  readonly stop: () => Promise<readonly string[]>
}

/** Starts to play calls; every packet is sent until it is acknowledged, every call completed. */
export function startLoad(sender: Sender, options: LoadOptions): Load {
  const calls: string[] = []
  let stopping = false

  async function client(number: number): Promise<void> {
    for (let round = 0; !stopping; round += 1) {
      const callId = `load-${number}-${round}`
      calls.push(callId)
      let next = 1
      const lines = Array.from({ length: options.window }, async () => {
        while (next <= options.packetsPerCall) {
          const sequence = next++
          await sender.deliver({ callId, sequence, data: speech(options.seed, callId, sequence) })
        }
      })
      await Promise.all(lines)
      await sender.hangUp(callId)
    }
  }

  const clients = Promise.all(
    Array.from({ length: options.clients }, (_, number) => client(number)),
  )
  // A client that fails is reported by stop(); until then nobody listens.
  clients.catch(() => {
    stopping = true
  })
  return {
    stop: async () => {
      stopping = true
      await clients
      return calls
    },
  }
}

/** Text of 1 to 300 characters, some of several bytes; the same for the same arguments. */
export function speech(seed: number, callId: string, sequence: number): string {
  const random = seededRandom(hashText(`${seed} ${callId} ${sequence}`))
  const alphabet = ['a', 'e', 'n', ' ', 'ß', '語', '😀', '"', '\\', '\n']
  const length = 1 + Math.floor(random() * 150)
  const text = Array.from({ length }, () => alphabet[Math.floor(random() * alphabet.length)])
  return `${sequence} ${text.join('')}`
}
