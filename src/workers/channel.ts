// What the primary and a worker say to each other over the channel that node:cluster opens between them.
import type { Config } from '../config.ts'
import type { Figures } from './figures.ts'

/** Where a worker listens. */
export type Addresses = {
  readonly url: string
  /** `host:port`; null when it does not listen for AudioSocket. */
  readonly audioSocket: string | null
}

/** Either side asks the other for figures: the primary for the worker's own, a worker for the total. */
export type FiguresMessage =
  | { readonly type: 'figures wanted'; readonly id: number }
  | { readonly type: 'figures'; readonly id: number; readonly figures: Figures }

/** Tells a worker to start: its settings, and its place among the workers, from 1. */
export type StartMessage = {
  readonly type: 'start'
  readonly config: Config
  readonly worker: number
}

/** What the primary says. */
export type ToWorker = StartMessage | { readonly type: 'stop' } | FiguresMessage

/** What a worker says: first that it listens to us, then what became of its start. */
export type ToPrimary =
  | { readonly type: 'hello' }
  | ({ readonly type: 'ready' } & Addresses)
  | { readonly type: 'refused'; readonly reason: string }
  | FiguresMessage

/** One end of the exchange of figures. */
export type FiguresExchange = {
  /** Asks the other end; nothing when it does not answer in time. */
  readonly ask: (withinMs: number) => Promise<Figures | undefined>
  /** Takes what the other end says: answers its questions, settles ours. */
  readonly receive: (message: FiguresMessage) => Promise<void>
}

/**
 * Opens one end.
 * @param own what the other end is told when it asks
 */
export function exchangeFigures(
  send: (message: FiguresMessage) => void,
  own: () => Promise<Figures>,
): FiguresExchange {
  const asked = new Map<number, (figures: Figures) => void>()
  let lastId = 0

  return {
    ask: async (withinMs) => {
      lastId += 1
      const id = lastId
      const { promise, resolve } = Promise.withResolvers<Figures | undefined>()
      const timer = setTimeout(resolve, withinMs, undefined)
      asked.set(id, resolve)
      send({ type: 'figures wanted', id })
      const figures = await promise
      clearTimeout(timer)
      asked.delete(id)
      return figures
    },
    receive: async (message) => {
      if (message.type === 'figures') asked.get(message.id)?.(message.figures)
      else send({ type: 'figures', id: message.id, figures: await own() })
    },
  }
}
