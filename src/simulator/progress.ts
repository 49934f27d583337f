// Shows how far a simulation has come: on a terminal a picture redrawn in place, a line a call; elsewhere
// (a pipe, a log) one line a second at most. It draws only when told of progress: no timer of its own.
import { stripVTControlCharacters } from 'node:util'
import type { CallProgress } from './call.ts'

/** Where a simulation writes; a terminal says so, and how large it is. */
export type Output = {
  readonly write: (text: string) => unknown
  readonly isTTY?: boolean | undefined
  readonly columns?: number | undefined
  readonly rows?: number | undefined
}

/** The progress display of one simulation. */
export type ProgressDisplay = {
  readonly update: (calls: readonly CallProgress[]) => void
  /** Draws the last state and leaves it standing. */
  readonly end: () => void
}

const terminalPause = 0.1
const plainPause = 1
const longestBar = 24
const shortestBar = 8
/** The width of a call's line without its bar and its id. */
const besideBar = 47
const shortestId = 14

/** Starts a display. @param now seconds */
export function startProgress(output: Output, now: () => number): ProgressDisplay {
  const started = now()
  const pause = output.isTTY === true ? terminalPause : plainPause
  let drawnAt = Number.NEGATIVE_INFINITY
  let drawnLines = 0
  let latest: readonly CallProgress[] = []
  let changed = false

  function draw(): void {
    drawnAt = now()
    changed = false
    const summary = summaryLine(latest, drawnAt - started)
    if (output.isTTY !== true) {
      output.write(`${summary}\n`)
      return
    }
    const room = (output.rows ?? 24) - 2
    const width = (output.columns || 80) - 1
    const id = Math.max(shortestId, ...latest.map((call) => call.id.length))
    const bar = Math.max(shortestBar, Math.min(longestBar, width - besideBar - id))
    const lines = [
      summary,
      ...(latest.length < room ? latest.map((call) => callLine(call, id, bar)) : []),
    ]
    const upAndClear = drawnLines === 0 ? '' : `\x1b[${drawnLines}A\x1b[0J`
    output.write(`${upAndClear}${lines.map((line) => `${line.slice(0, width)}\n`).join('')}`)
    drawnLines = lines.length
  }

  return {
    update: (calls) => {
      latest = calls
      changed = true
      if (now() - drawnAt >= pause) draw()
    },
    end: () => {
      if (changed) draw()
    },
  }
}

function summaryLine(calls: readonly CallProgress[], seconds: number): string {
  const inPhase = (phase: CallProgress['phase']) =>
    calls.filter((call) => call.phase === phase).length
  const sum = (figure: (call: CallProgress) => number) =>
    calls.reduce((total, call) => total + figure(call), 0)
  const count = sum((call) => call.count).toLocaleString('en')
  const planned = sum((call) => call.planned).toLocaleString('en')
  return [
    `${seconds.toFixed(1).padStart(5)} s`,
    `${count}/${planned} packets ${calls[0]?.counts ?? 'acknowledged'}`,
    `live ${inPhase('streaming')}, analysis ${inPhase('analysing')}, finished ${inPhase('finished')}`,
  ].join('  ')
}

function callLine(call: CallProgress, idWidth: number, barWidth: number): string {
  const { id, recording, phase, planned, count, state } = call
  const filled = Math.floor((count / planned) * barWidth)
  const bar = '█'.repeat(filled).padEnd(barWidth, '░')
  const counted = `${count}/${planned}`.padStart(9)
  const word = phase === 'waiting' || state === '' ? phase : stripVTControlCharacters(state)
  return `  ${id.padEnd(idWidth)}  ${recording.padEnd(15)}  ${bar}  ${counted}  ${word}`
}
