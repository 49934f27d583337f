// Calls to try a gateway with, without a PBX: the built-in simulator plays them to it over its own doors. Of all gateways
// of a database one does that at a time.
import { randomInt } from 'node:crypto'
import type { Config } from './config.ts'
import { takeLock } from './database/lock.ts'
import type { Pool } from './database/pool.ts'
import type { Addresses } from './listeners.ts'
import { seededRandom } from './random.ts'
import { systemClock } from './simulator/clock.ts'
import { createGatewayClient } from './simulator/gateway-client.ts'
import type { SimulationOptions } from './simulator/options.ts'
import { loadRecordings } from './simulator/recordings.ts'
import { planCalls, simulate } from './simulator/simulate.ts'
import { defaultSimulation, protocolNames } from './simulator/simulation.ts'
import type { Logger } from './telemetry/logger.ts'

/** What a demonstration needs. */
export type DemonstrationOptions = {
  readonly config: Config
  readonly pool: Pool
  /** Where the gateway listens; undefined until it does. */
  readonly addresses: () => Addresses | undefined
  readonly logger: Logger
}

/** What plays calls. */
export type Demonstration = {
  /** The protocols that can be played. */
  readonly protocols: readonly string[]
  /**
   * Begins to play calls, in real time, and returns their call ids; undefined while others are being played, by
   * whichever gateway, or before this one listens. Rejects with a `DatabaseFailure`.
   */
  readonly play: (count: number, protocol: string) => Promise<readonly string[] | undefined>
  readonly stop: () => Promise<void>
}

/** Seconds to wait for the analysis of a call before others may be played. */
const patience = 60
const runLength = 5

/** Builds what plays calls. */
export function createDemonstration(options: DemonstrationOptions): Demonstration {
  const { config, pool, addresses, logger } = options
  const stopping = new AbortController()
  let run: Promise<unknown> | undefined

  async function begin(
    listening: Addresses,
    count: number,
    protocol: string,
    giveBack: () => void,
  ): Promise<readonly string[]> {
    const seed = randomInt(2 ** 32)
    const simulation: SimulationOptions = {
      ...defaultSimulation,
      url: listening.url,
      protocol,
      audioSocketPort: Number(listening.audioSocket?.split(':').at(-1) ?? 0),
      secrets: secretsOf(config),
      calls: count,
      timeout: patience,
      seed,
    }
    const recordings = await loadRecordings()
    const clock = systemClock
    const { signal } = stopping
    const client = createGatewayClient({
      url: listening.url,
      clock,
      random: seededRandom(seed),
      signal,
    })
    const name = randomInt(36 ** runLength)
      .toString(36)
      .padStart(runLength, '0')
    const parts = { recordings, client, clock, run: name, onProgress: () => {} }
    const calls = planCalls(simulation, recordings, name).map(({ id }) => id)
    run = simulate(simulation, parts, signal)
      .catch((error: unknown) => {
        if (!signal.aborted) logger.warn({ err: error }, 'the calls of a demonstration were cut')
      })
      .finally(() => {
        client.close()
        giveBack()
      })
    return calls
  }

  return {
    protocols: protocolNames.filter(
      (name) => name !== 'audiosocket' || config.AUDIOSOCKET_PORT !== null,
    ),
    play: async (count, protocol) => {
      const listening = addresses()
      if (listening === undefined || stopping.signal.aborted) return undefined
      const giveBack = await takeLock(pool, 'demonstration')
      if (giveBack === undefined) return undefined
      try {
        return await begin(listening, count, protocol, giveBack)
      } catch (error) {
        giveBack()
        throw error
      }
    },
    stop: async () => {
      stopping.abort()
      await run
    },
  }
}

/** What the gateway demands, the simulator proves. */
function secretsOf(config: Config): SimulationOptions['secrets'] {
  return {
    publicUrl: config.PUBLIC_URL ?? undefined,
    twilioAuthToken: config.TWILIO_AUTH_TOKEN ?? undefined,
    fonosterSecret: config.FONOSTER_ACCESS_KEY_SECRET ?? undefined,
    genesysApiKey: config.GENESYS_API_KEY ?? undefined,
    genesysClientSecret: config.GENESYS_CLIENT_SECRET ?? undefined,
  }
}
