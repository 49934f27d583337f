// What a simulation can be told, with the defaults that `simulate` and `serve --demo` share.
import type { NetworkOptions } from './plan.ts'
import type { Secrets } from './protocol.ts'

/** The options of one simulation. */
export type SimulationOptions = NetworkOptions & {
  /** The base URL of the gateway. */
  readonly url: string
  /** `http`, or a name of `protocols`. */
  readonly protocol: string
  /** The gateway's port for AudioSocket; its host is that of `url`. */
  readonly audioSocketPort: number
  readonly secrets: Secrets
  /** How many calls, 1 or more; they start one after the other and run at the same time. */
  readonly calls: number
  /** 1 is real time, 10 ten times as fast, 0 as fast as the gateway takes packets. */
  readonly rate: number
  /** A whole number from 0 to 2^32 - 1; the same seed drops, delays and doubles the same packets. */
  readonly seed: number
  /** Seconds to wait for the analysis of a call after its completion. */
  readonly timeout: number
}

/** The protocol of the gateway's HTTP API. */
export const httpProtocol = 'http'

/** All options but the seed, which is drawn. */
export const defaultSimulation: Omit<SimulationOptions, 'seed'> = {
  url: 'http://127.0.0.1:8000',
  protocol: httpProtocol,
  audioSocketPort: 9092,
  secrets: {},
  calls: 8,
  rate: 1,
  loss: 0.02,
  reorder: 0.05,
  duplicates: 0.01,
  jitter: 0.01,
  timeout: 180,
}
