// The binary packages need links between their shared libraries (libicuuc.so.60 ->
// libicuuc.so.60.2). npm's archives hold no links, and the install script that would make them is
// often off. So we make them at every start, in place, or, where the package is read-only, in a
// folder of ours that the loader searches first.
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync } from 'node:fs'
import { basename, dirname, join, relative } from 'node:path'

type Link = { readonly source: string; readonly target: string }

/** Whether this bin folder is a platform package's, complete in itself, and not the system's. */
export function isPackaged(binDirectory: string): boolean {
  return existsSync(listOf(binDirectory))
}

/**
 * Makes the links that are missing.
 * @param fallback the folder for links when the package cannot be written
 * @returns the environment variables that PostgreSQL's programs need to find their libraries
 */
export function linkLibraries(binDirectory: string, fallback: string): Record<string, string> {
  if (!isPackaged(binDirectory)) return {}
  const packageDirectory = join(binDirectory, '..', '..')
  const links: Link[] = JSON.parse(readFileSync(listOf(binDirectory), 'utf8'))
  const missing = links
    .map(({ source, target }) => ({
      source: join(packageDirectory, source),
      target: join(packageDirectory, target),
    }))
    .filter(({ target }) => !existsSync(target))
  try {
    for (const { source, target } of missing) link(relative(dirname(target), source), target)
    return {}
  } catch {
    mkdirSync(fallback, { recursive: true, mode: 0o700 })
    for (const { source, target } of missing) link(source, join(fallback, basename(target)))
    const variable = process.platform === 'darwin' ? 'DYLD_LIBRARY_PATH' : 'LD_LIBRARY_PATH'
    return { [variable]: `${fallback}:${join(binDirectory, '..', 'lib')}` }
  }
}

function listOf(binDirectory: string): string {
  return join(binDirectory, '..', 'pg-symlinks.json')
}

/** Replaces in one step: another gateway may be starting the programs of the same package. */
function link(source: string, target: string): void {
  const fresh = `${target}.${process.pid}`
  try {
    symlinkSync(source, fresh)
    renameSync(fresh, target)
  } finally {
    rmSync(fresh, { force: true })
  }
}
