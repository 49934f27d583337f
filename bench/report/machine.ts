// The machine that a benchmark ran on, as far as figures depend on it.
import { execFileSync } from 'node:child_process'
import { closeSync, fsyncSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs'
import { cpus, loadavg, release, totalmem, type } from 'node:os'
import { join } from 'node:path'
import { median } from '../statistics.ts'
import { count, ms } from './format.ts'

/** In words, for the report. */
export type Machine = {
  /** What stays the same from run to run. */
  readonly description: string
  /** What may have been different at that time. */
  readonly moment: string
  readonly commit: string
}

const syncs = 41

/**
 * Describes the machine.
 * @param folder where the database lies
 * @param database its version and its settings that decide what a commit costs, in words
 */
export function describeMachine(folder: string, database: string): Machine {
  const [processor] = cpus()
  const [load = 0] = loadavg()
  return {
    description: [
      `${cpus().length} × ${processor?.model ?? 'processor'}`,
      `${count(totalmem() / 2 ** 30)} GiB`,
      `${type()} ${release()}`,
      `Node.js ${process.versions.node}`,
      database,
      fileSystemOf(folder),
    ].join('; '),
    moment: `8 KiB and an fsync took ${ms(fsyncMs(folder))}, the load average before was ${load.toFixed(2)}`,
    commit:
      git('rev-parse', '--short', 'HEAD') + (git('status', '--porcelain') ? ' and changes' : ''),
  }
}

function git(...words: string[]): string {
  try {
    return execFileSync('git', words, {
      cwd: import.meta.dirname,
      encoding: 'utf8',
      stdio: 'pipe',
    }).trim()
  } catch {
    return ''
  }
}

function fileSystemOf(folder: string): string {
  return execFileSync('df', ['--output=fstype', folder], { encoding: 'utf8' }).split('\n')[1] ?? ''
}

function fsyncMs(folder: string): number {
  const path = join(folder, 'fsync')
  const file = openSync(path, 'w')
  const page = Buffer.alloc(8_192, 1)
  const times = Array.from({ length: syncs }, () => {
    const began = performance.now()
    writeSync(file, page)
    fsyncSync(file)
    return performance.now() - began
  })
  closeSync(file)
  rmSync(path)
  return median(times)
}

/** Processor time that the host gave to others since the last boot, and all of it, in ticks. */
export function stolenTicks(): { readonly stolen: number; readonly all: number } {
  const [line = ''] = readFileSync('/proc/stat', 'utf8').split('\n')
  const ticks = line.trim().split(/\s+/).slice(1, 9).map(Number)
  return { stolen: ticks[7] ?? 0, all: ticks.reduce((sum, value) => sum + value, 0) }
}
