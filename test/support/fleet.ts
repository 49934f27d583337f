// Several gateway processes on one database, of which some end and others take their place.
import { type GatewayProcess, startGateway } from './gateway.ts'

/** Gateways on one database; all are killed at the end of the scope (`await using`). */
export type Fleet = AsyncDisposable & {
  /** The gateway at a place; throws when there is none. */
  readonly at: (place: number) => GatewayProcess
  /** Where the gateways listen. */
  readonly urls: () => readonly string[]
  /** The gateway that holds a lease, by its `lease_owner`. */
  readonly owner: (leaseOwner: string) => GatewayProcess
  /** Puts a new process in the place of one that has ended, or in one more. */
  readonly replace: (
    place: number,
    settings?: Readonly<Record<string, string>>,
  ) => Promise<GatewayProcess>
}

/** Starts `size` gateways with the same settings. */
export async function startFleet(
  databaseUrl: string,
  size: number,
  settings: Readonly<Record<string, string>> = {},
): Promise<Fleet> {
  const everStarted = new AsyncDisposableStack()
  const places = new Map<number, GatewayProcess>()

  async function replace(place: number, own = settings): Promise<GatewayProcess> {
    const gateway = everStarted.use(await startGateway(databaseUrl, own))
    places.set(place, gateway)
    return gateway
  }

  function at(place: number): GatewayProcess {
    const gateway = places.get(place)
    if (gateway === undefined) throw new RangeError(`There is no gateway at ${place}`)
    return gateway
  }

  try {
    await Promise.all(Array.from({ length: size }, (_, place) => replace(place)))
  } catch (error) {
    await everStarted.disposeAsync()
    throw error
  }
  return {
    at,
    replace,
    urls: () => [...places.values()].map(({ url }) => url),
    owner: (leaseOwner) => {
      const pid = Number(leaseOwner.split('/').at(-2))
      const gateway = [...places.values()].find((candidate) => candidate.pid === pid)
      if (gateway === undefined) throw new RangeError(`No gateway of ours is ${leaseOwner}`)
      return gateway
    },
    [Symbol.asyncDispose]: () => everStarted.disposeAsync(),
  }
}
