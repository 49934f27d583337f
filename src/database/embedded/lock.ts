// `gateway.lock`: one gateway per DATA_DIR. The lock is the kernel's (flock on the open file), so
// it ends with its process however that dies, no two takers of a stale file can both win, and it
// holds between containers that share a volume. The file's text, number and birth of the holder, is
// for the message, and is what decides where the system has no `flock` command.
import { spawnSync } from 'node:child_process'
import {
  closeSync,
  constants,
  fstatSync,
  ftruncateSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { StartupError } from '../../errors.ts'
import { processBirth } from './processes.ts'

const patience = 1000

/** A held lock. */
export type Lock = {
  /** Gives the folder free; may be called again. */
  readonly release: () => void
}

/**
 * Locks the folder for this process.
 * @throws StartupError when another gateway holds it, with its process number
 */
export async function lockDataDirectory(directory: string): Promise<Lock> {
  const path = join(directory, 'gateway.lock')
  const deadline = Date.now() + patience
  for (;;) {
    const attempt = tryLock(path)
    if (attempt.lock !== undefined) return attempt.lock
    // A lock without a living holder is about to go (the kernel still clears away what a kill -9
    // left), or its file about to be written. After that it is held where we cannot see processes.
    if (attempt.isAlive || Date.now() > deadline)
      throw new StartupError(
        `DATA_DIR ${directory} is in use by another gateway (process ${attempt.pid}). ` +
          'Stop that one, or set another DATA_DIR.',
      )
    await delay(10)
  }
}

type Attempt =
  | { readonly lock: Lock }
  | { readonly lock: undefined; readonly pid: string; readonly isAlive: boolean }

function tryLock(path: string): Attempt {
  const file = openSync(path, constants.O_RDWR | constants.O_CREAT, 0o600)
  let lock: Lock | undefined
  try {
    const taken = lockInKernel(file)
    const [pid = '', ...birth] = readFileSync(file, 'utf8').trim().split(' ')
    const isAlive = processBirth(Number(pid)) === birth.join(' ')
    // Else its holder removed the file after we had opened it: what we locked is nobody's any more.
    if (taken && !isAlive && isStillAt(file, path)) {
      ftruncateSync(file)
      writeSync(file, `${process.pid} ${processBirth(process.pid)}\n`, 0)
      lock = held(file, path)
      return { lock }
    }
    return { lock, pid: pid || 'unknown', isAlive }
  } finally {
    if (lock === undefined) closeSync(file)
  }
}

function held(file: number, path: string): Lock {
  let released = false
  return {
    release: () => {
      if (released) return
      released = true
      // In this order: a file that is free but still there could be another's before we remove it.
      if (isStillAt(file, path)) rmSync(path)
      closeSync(file)
    },
  }
}

/**
 * Node has no flock, but a flock belongs to the open file and not to the process that asks for it:
 * the `flock` command locks the descriptor that it inherits from us, ends, and the lock stays ours.
 * @returns false when somebody else has it; true when we do, or when it cannot be known
 */
function lockInKernel(file: number): boolean {
  const result = spawnSync('flock', ['-x', '-n', '3'], {
    stdio: ['ignore', 'ignore', 'ignore', file],
  })
  return result.status !== 1
}

function isStillAt(file: number, path: string): boolean {
  const there = statSync(path, { throwIfNoEntry: false })
  const here = fstatSync(file)
  return there !== undefined && there.ino === here.ino && there.dev === here.dev
}
