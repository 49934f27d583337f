// Processor time and memory of processes and all their descendants, from Linux's /proc.
import { readdirSync, readFileSync } from 'node:fs'

// USER_HZ: what the kernel tells user space, 100 on every architecture Node.js runs on.
const ticksPerSecond = 100

type ProcessStat = { readonly parent: number; readonly seconds: number }

/**
 * Processor time that a process has used, with its descendants: those that live, and those that ended and were
 * waited for (cutime, cstime).
 */
export function cpuSecondsOf(root: number): number {
  const all = readProcesses()
  return treeOf(root, all).reduce((sum, pid) => sum + (all.get(pid)?.seconds ?? 0), 0)
}

/** Resident memory of a process and its descendants. Pages they share are counted once for each. */
export function residentBytesOf(root: number): number {
  return sumOf(root, 'status', /^VmRSS:\s+(\d+) kB/m)
}

/** Resident memory of a process and its descendants, in which pages that several share are counted once. */
export function proportionalBytesOf(root: number): number {
  return sumOf(root, 'smaps_rollup', /^Pss:\s+(\d+) kB/m)
}

/** The process and its descendants that live. */
export function pidsOf(root: number): number[] {
  return treeOf(root, readProcesses())
}

function sumOf(root: number, file: string, pattern: RegExp): number {
  return pidsOf(root)
    .map((pid) => Number(pattern.exec(read(pid, file))?.[1] ?? 0) * 1_024)
    .reduce((sum, bytes) => sum + bytes, 0)
}

function readProcesses(): Map<number, ProcessStat> {
  const all = new Map<number, ProcessStat>()
  for (const name of readdirSync('/proc')) {
    const pid = Number(name)
    if (!(pid > 0)) continue
    const stat = read(pid, 'stat')
    // The second field is the command in parentheses, and may itself contain blanks and parentheses.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    const ticks = fields.slice(11, 15).reduce((sum, value) => sum + Number(value), 0)
    if (stat !== '') all.set(pid, { parent: Number(fields[1]), seconds: ticks / ticksPerSecond })
  }
  return all
}

function treeOf(root: number, all: ReadonlyMap<number, ProcessStat>): number[] {
  const tree = [root]
  for (const pid of tree)
    for (const [child, { parent }] of all) if (parent === pid) tree.push(child)
  return tree
}

/** Empty when the process has ended. */
function read(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8')
  } catch {
    return ''
  }
}
