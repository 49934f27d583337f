// The log files that PostgreSQL writes: their end, for the text of an error, and their removal. The
// server itself begins a weekday's file anew only when it runs through that midnight; where it is
// stopped every night the files would grow for ever, so old ones also go at a start.
import { existsSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'

const lines = 20
const sixDays = 6 * 86_400_000

function filesOf(cluster: string): { path: string; changed: number }[] {
  const folder = join(cluster, 'log')
  if (!existsSync(folder)) return []
  return readdirSync(folder)
    .map((name) => join(folder, name))
    .map((path) => ({ path, changed: statSync(path).mtimeMs }))
}

/** Removes what was last written in a former week. The server does not run. */
export function removeOldServerLogs(cluster: string): void {
  for (const { path, changed } of filesOf(cluster)) if (changed < Date.now() - sixDays) rmSync(path)
}

/**
 * What the server said before its log was open, and the end of that log.
 * @param since the time in ms from which on a file must have been written to
 */
export function serverLogTail(
  files: { cluster: string; startupLog: string },
  since: number,
): string {
  const newest = filesOf(files.cluster)
    .filter(({ changed }) => changed >= since)
    .toSorted((a, b) => b.changed - a.changed)
    .slice(0, 1)
    .map(({ path }) => path)
  const text = [files.startupLog, ...newest]
    .filter((path) => existsSync(path))
    .flatMap((path) => readFileSync(path, 'utf8').trimEnd().split('\n').slice(-lines))
    .join('\n')
    .trim()
  return text === '' ? 'Its log is empty.' : `The end of its log:\n${text}`
}
