// What all load processes share: their options, the signal to begin, their figures.
import { once } from 'node:events'

/** The options that the benchmark gave. */
export function readOptions<Options>(): Options {
  return JSON.parse(process.argv[2] ?? '{}') as Options
}

/** Tells that all is prepared, and waits for the word to begin. */
export async function untilGo(): Promise<void> {
  process.stdout.write('ready\n')
  await once(process.stdin, 'data')
  // Nothing more comes, and the process may end.
  process.stdin.destroy()
}

/** Hands the figures in; the process ends. */
export function report(figures: object): never {
  process.stdout.write(`${JSON.stringify(figures)}\n`, () => process.exit(0))
  return undefined as never
}

/** Starts to measure the processor time of this process; call what it returns at the end, for seconds. */
export function startOwnCpuMeter(): () => number {
  const before = process.cpuUsage()
  return () => {
    const { user, system } = process.cpuUsage(before)
    return (user + system) / 1e6
  }
}

/** Milliseconds since 1970, in fractions, the same clock in every process of the machine. */
export function epochNow(): number {
  return performance.timeOrigin + performance.now()
}
