// A copy of a PostgreSQL package where every user can run it. Wanted only when root has no user
// namespaces and the gateway was installed below a folder that nobody else may enter, such as
// /root.
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, statSync } from 'node:fs'
import { chmod, cp, mkdir, mkdtemp, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'

// Not below /tmp: others could put programs there before us, and cleaners remove files in use.
const copies = '/var/lib/ai-pbx-gateway'

/** Whether this bin folder is of such a copy. */
export function isOpenCopy(binDirectory: string): boolean {
  return binDirectory.startsWith(copies)
}

/**
 * Copies the package of this bin folder, unless that was done before.
 * @returns the bin folder of the copy
 */
export async function copyToOpenPlace(binDirectory: string): Promise<string> {
  const { size, mtimeMs } = statSync(join(binDirectory, 'postgres'))
  const name = createHash('sha256').update(`${binDirectory} ${size} ${mtimeMs}`).digest('hex')
  const target = join(copies, name.slice(0, 16))
  // The package's list of links speaks of `native/…`.
  const copiedBin = join(target, 'native/bin')
  if (existsSync(target)) return copiedBin

  await mkdir(copies, { recursive: true })
  await chmod(copies, 0o755)
  const unfinished = await mkdtemp(`${target}.`)
  try {
    const native = join(unfinished, 'native')
    await cp(dirname(binDirectory), native, { recursive: true, verbatimSymlinks: true })
    await promisify(execFile)('chmod', ['-R', 'a+rX', unfinished])
    await rename(unfinished, target)
  } catch (error) {
    await rm(unfinished, { recursive: true, force: true })
    // Another gateway was faster.
    if (!existsSync(target)) throw error
  }
  return copiedBin
}
