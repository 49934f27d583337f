// The built desk: where it is, and in a clone that it is what its sources are.
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Logger } from '../telemetry/logger.ts'

const longestBuildMs = 120_000

/**
 * The folder of the built desk. In a clone it is built first when it is missing or its sources changed, by a process
 * of its own: what builds it needs more memory than a gateway. A published package has it built.
 * @returns undefined when there is none and it cannot be built; the log says why
 */
export async function findDesk(root: string, logger: Logger): Promise<string | undefined> {
  const folder = join(root, 'dist', 'desk')
  const builder = join(root, 'scripts', 'build-desk.ts')
  if (existsSync(builder) && builtFrom(folder) !== deskSources(root))
    try {
      logger.info('building the desk')
      await promisify(execFile)(process.execPath, [builder], { cwd: root, timeout: longestBuildMs })
    } catch (error) {
      logger.error({ err: error }, 'the desk could not be built: npm ci installs what builds it')
    }
  return existsSync(join(folder, 'index.html')) ? folder : undefined
}

/** A stamp of the sources of the desk: the same as long as they are the same. */
export function deskSources(root: string): string {
  const hash = createHash('sha256')
  const web = join(root, 'web')
  for (const file of globSync(['index.html', 'tsconfig.json', 'src/**/*.{ts,tsx,css}'], {
    cwd: web,
  }).sort())
    hash
      .update(file)
      .update('\0')
      .update(readFileSync(join(web, file)))
      .update('\0')
  return hash.digest('hex')
}

function builtFrom(folder: string): string | undefined {
  try {
    return readFileSync(join(folder, 'sources.sha256'), 'utf8')
  } catch {
    return undefined
  }
}
