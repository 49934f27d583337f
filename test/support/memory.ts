import { readFile } from 'node:fs/promises'
import { setTimeout as pause } from 'node:timers/promises'

const sampleMs = 20

/** The memory that a process holds, in bytes. */
async function memoryOf(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8')
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024
}

/** By how much a process grew at most while something was done, in bytes. */
export async function growthOf(pid: number, work: () => Promise<void>): Promise<number> {
  const before = await memoryOf(pid)
  let most = before
  let isDone = false
  const watching = (async () => {
    while (!isDone) {
      most = Math.max(most, await memoryOf(pid))
      await pause(sampleMs)
    }
  })()
  await work().finally(() => {
    isDone = true
  })
  await watching
  return most - before
}
