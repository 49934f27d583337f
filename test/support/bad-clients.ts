// A crowd of clients that misbehave, beside a test.
import { once } from 'node:events'
import { Worker } from 'node:worker_threads'

/** Whom they bother, and how. */
export type BadClientsOptions = {
  readonly url: string
  readonly audioSocketPort: number
  /** They differ with it. */
  readonly seed: number
  /** How many say nothing. */
  readonly silent: number
}

/** They misbehave until they are stopped, or the scope ends (`await using`). */
export type BadClients = AsyncDisposable & {
  /** Resolves with how the gateway ended them: HTTP statuses, close codes of WebSockets, `hung up`; and how often. */
  readonly stop: () => Promise<ReadonlyMap<string, number>>
}

/** Starts them; each has misbehaved once when it resolves. */
export async function startBadClients(options: BadClientsOptions): Promise<BadClients> {
  const thread = new Worker(new URL('./bad-clients-thread.ts', import.meta.url), {
    workerData: options,
  })
  await once(thread, 'message')
  return {
    stop: async () => {
      const [[endings]] = await Promise.all([once(thread, 'message'), thread.postMessage('stop')])
      return endings as ReadonlyMap<string, number>
    },
    [Symbol.asyncDispose]: async () => {
      await thread.terminate()
    },
  }
}
