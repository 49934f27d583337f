// One worker process, as the primary sees it: from its fork to its end.
import cluster, { type Worker } from 'node:cluster'
import { setTimeout as delay } from 'node:timers/promises'
import type { Config } from '../config.ts'
import { type Addresses, exchangeFigures, type ToPrimary, type ToWorker } from './channel.ts'
import { type Figures, noFigures } from './figures.ts'
import { watchConnections } from './lost-connections.ts'

/** How a worker ended. */
export type End = {
  readonly how: 'in order' | 'refused' | 'died'
  /** In words; of one that was refused, what the operator must mend. */
  readonly reason: string
  /** Whether it ever listened. */
  readonly wasReady: boolean
}

/** A worker process. */
export type Member = {
  /** Resolves when it is gone and its last word was heard; rejects when it could not be forked. */
  readonly ended: Promise<End>
  /** Its figures; when it does not answer soon, those that it told last. */
  readonly figures: () => Promise<Figures>
  /** The figures that it told last. */
  readonly lastFigures: () => Figures
  /** Tells it to finish and end. */
  readonly stop: () => void
  readonly kill: () => void
}

/** What a worker is forked with. */
export type MemberOptions = {
  readonly config: Config
  /** Its place among the workers, from 1. */
  readonly worker: number
  readonly onReady: (addresses: Addresses) => void
  /** The figures of the whole command, for which it may ask. */
  readonly total: () => Promise<Figures>
}

const longestAnswerMs = 250
const readPollMs = 10

/** Forks a worker. */
export function forkMember({ config, worker, onReady, total }: MemberOptions): Member {
  const child = cluster.fork()
  const closeLostConnections = watchConnections(child)
  const exited = exitOf(child)
  const exchange = exchangeFigures(tell, total)
  let phase: 'forked' | 'starting' | 'ready' | 'stopping' = 'forked'
  let wasReady = false
  let refusal: string | undefined
  let unborn = false
  let heard = noFigures

  /** To one that is ending nothing can be told, and nothing need be. */
  function tell(message: ToWorker): void {
    if (child.isConnected()) child.send(message, () => {})
  }

  function kill(): void {
    child.process.kill('SIGKILL')
  }

  child.on('message', (message: ToPrimary) => {
    switch (message.type) {
      case 'hello':
        if (phase !== 'forked') return
        phase = 'starting'
        return tell({ type: 'start', config, worker })
      case 'ready':
        wasReady = true
        if (phase === 'starting') phase = 'ready'
        return onReady(message)
      case 'refused':
        refusal = message.reason
        return
      default:
        return void exchange.receive(message)
    }
  })

  async function end(): Promise<End> {
    const [code, signal] = await exited
    // Its last messages are still to be read. There is not always an event 'disconnect' to wait for: not after
    // a death with a connection on its way there.
    while (child.isConnected()) await delay(readPollMs)
    closeLostConnections()
    if (refusal !== undefined) return { how: 'refused', reason: refusal, wasReady }
    const reason = signal === null ? `exit code ${code}` : `ended by ${signal}`
    return { how: code === 0 || unborn ? 'in order' : 'died', reason, wasReady }
  }

  return {
    ended: end(),
    figures: async () => {
      if (phase === 'ready') heard = (await exchange.ask(longestAnswerMs)) ?? heard
      return heard
    },
    lastFigures: () => heard,
    stop: () => {
      // With many of them, a shutdown should not wait until all have come so far as to hear of it.
      if (phase === 'forked') {
        unborn = true
        kill()
      } else tell({ type: 'stop' })
      phase = 'stopping'
    },
    kill,
  }
}

/** Rejects when there never was a process. */
function exitOf(child: Worker): Promise<[code: number, signal: string]> {
  return new Promise((resolve, reject) => {
    child.on('exit', (...how) => resolve(how))
    // Also what could not be sent to one that has just died is such an event; its exit follows.
    child.on('error', (error) => {
      if (child.process.pid === undefined) reject(error)
    })
  })
}
