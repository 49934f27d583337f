// Many clients of the feed in a process of their own, which are cut off and come back together.
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import type { HistogramCounts } from './statistics.ts'

/** Who they are. */
export type CrowdOptions = {
  readonly port: number
  readonly transport: 'websocket' | 'stream'
  readonly clients: number
  /** The position from which they want every event. */
  readonly after: number
}

/** What they say. */
export type FromCrowd =
  | { readonly type: 'connected' }
  | { readonly type: 'back'; readonly seconds: number }
  | { readonly type: 'figures'; readonly figures: CrowdFigures }

/** What they are told: to be cut off and come back, or to hear everything up to a position and report. */
export type ToCrowd = 'cut' | { readonly head: number }

/** How they fared. */
export type CrowdFigures = {
  /** Events heard, by all together. */
  readonly heard: number
  /** Events missed, heard twice or out of order. */
  readonly wrong: number
  /** Attempts to connect that failed. */
  readonly refused: number
  /** How often the server ended a connection. */
  readonly dropped: number
  /** From the cut until each was let in again. */
  readonly back: HistogramCounts
  readonly cpuSeconds: number
}

/** A connected crowd; it disconnects at the end of the scope (`await using`). */
export type Crowd = AsyncDisposable & {
  /** Cuts all off at once and lets them reconnect at once; resolves when all are back, with the seconds it took. */
  readonly cut: () => Promise<number>
  /** Waits until all have heard everything up to the position. */
  readonly finish: (head: number) => Promise<CrowdFigures>
}

/** Starts a crowd; resolves when all are connected. */
export async function startCrowd(options: CrowdOptions): Promise<Crowd> {
  const child = fork(new URL('load/crowd.ts', import.meta.url), [JSON.stringify(options)])
  await heard(child, 'connected')
  return {
    cut: async () => {
      child.send('cut' satisfies ToCrowd)
      return (await heard(child, 'back')).seconds
    },
    finish: async (head) => {
      child.send({ head } satisfies ToCrowd)
      return (await heard(child, 'figures')).figures
    },
    [Symbol.asyncDispose]: async () => {
      if (!child.connected) return
      child.disconnect()
      await once(child, 'exit')
    },
  }
}

async function heard<Type extends FromCrowd['type']>(
  child: ChildProcess,
  type: Type,
): Promise<Extract<FromCrowd, { type: Type }>> {
  const ended = once(child, 'exit').then(() => {
    throw new Error('the clients of the feed failed')
  })
  const [message] = (await Promise.race([once(child, 'message'), ended])) as [FromCrowd]
  if (message.type !== type) throw new Error(`the clients of the feed say ${message.type}`)
  return message as Extract<FromCrowd, { type: Type }>
}
