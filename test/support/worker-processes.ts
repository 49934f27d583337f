// The worker processes of a gateway on several cores, as its log tells of them.
import { processBirth } from '../../src/database/embedded/processes.ts'
import type { LogLine } from './gateway.ts'

/** A worker that listens. */
export type WorkerProcess = {
  /** Its place, from 1. */
  readonly worker: number
  readonly pid: number
}

/** The workers that ever listened, in the order in which they began to. */
export function everListened(log: readonly LogLine[]): WorkerProcess[] {
  return log
    .filter(({ worker, msg }) => worker !== undefined && msg?.startsWith('listening on '))
    .map(({ worker, pid }) => ({ worker: Number(worker), pid: Number(pid) }))
}

/** The workers that listened and still live. */
export function listening(log: readonly LogLine[]): WorkerProcess[] {
  return everListened(log).filter(({ pid }) => lives(pid))
}

/** Whether there is such a process. */
export function lives(pid: number): boolean {
  return processBirth(pid) !== undefined
}
