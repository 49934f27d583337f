// What the operating system says about a process that we may not have started ourselves: is it
// there, is it still the one we mean (numbers are reused, in containers at every start), is it the
// PostgreSQL of a given folder. Asks /proc, or `ps` where there is none.
import { spawnSync } from 'node:child_process'
import { readFileSync, statSync } from 'node:fs'

function askPs(pid: number, column: string): string | undefined {
  const result = spawnSync('ps', ['-o', `${column}=`, '-p', String(pid)], { encoding: 'utf8' })
  return result.status === 0 ? result.stdout.trim() || undefined : undefined
}

function readProc(pid: number, name: string): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/${name}`, 'utf8')
  } catch {
    return undefined
  }
}

/**
 * When the process was started, in a unit of the system's own: number and birth together name one
 * process for ever.
 * @returns `undefined` when there is no such process; a zombie has ended and counts as none
 */
export function processBirth(pid: number): string | undefined {
  if (process.platform !== 'linux')
    return askPs(pid, 'stat')?.startsWith('Z') ? undefined : askPs(pid, 'lstart')
  const stat = readProc(pid, 'stat')
  // The second field is the command in parentheses, and may itself contain blanks and parentheses.
  const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ')
  return fields === undefined || fields[0] === 'Z' ? undefined : fields[19]
}

/** Whether the process lives and is a PostgreSQL server that works in this cluster folder. */
export function isPostgresOf(pid: number, cluster: string): boolean {
  if (processBirth(pid) === undefined) return false
  if (process.platform !== 'linux') return askPs(pid, 'comm')?.endsWith('postgres') ?? false
  if (readProc(pid, 'comm')?.trim() !== 'postgres') return false
  try {
    const [here, there] = [statSync(cluster), statSync(`/proc/${pid}/cwd`)]
    return here.dev === there.dev && here.ino === there.ino
  } catch {
    // Another user's process, in a container without the right to look: its name must do.
    return true
  }
}
