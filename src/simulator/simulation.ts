// A whole simulation as a person sees it: what will happen, how far it is, what came of it. The command
// `simulate` and `serve --demo` run this.
import { randomInt } from 'node:crypto'
import { StartupError } from '../errors.ts'
import { seededRandom } from '../random.ts'
import type { CallProgress } from './call.ts'
import { type Clock, systemClock } from './clock.ts'
import { createGatewayClient } from './gateway-client.ts'
import { httpProtocol, type SimulationOptions } from './options.ts'
import { type Output, startProgress } from './progress.ts'
import { protocols } from './protocols.ts'
import { loadRecordings } from './recordings.ts'
import { writeReport } from './report.ts'
import { protocolOf, simulate } from './simulate.ts'

export { defaultSimulation } from './options.ts'

/** Every protocol a simulation can speak. */
export const protocolNames: readonly string[] = [httpProtocol, ...protocols.map(({ name }) => name)]

/** The options of a run; without a seed one is drawn, and printed, so that the run can be repeated. */
export type RunOptions = Omit<SimulationOptions, 'seed'> & { readonly seed?: number | undefined }

/** How a run ended, as an exit code. */
export const simulationExit = { agrees: 0, differs: 1, interrupted: 130 } as const

const plainWidth = 100
/** Characters that tell the calls of one run from those of another. */
const runLength = 5

/**
 * Plays the calls and writes everything to `output`. An abort ends the run early and is no error.
 * @returns a code of {@link simulationExit}
 * @throws StartupError when no gateway answers, the recordings are not installed, or the protocol cannot be
 * played at this rate
 */
export async function runSimulation(
  options: RunOptions,
  output: Output,
  signal: AbortSignal,
  clock: Clock = systemClock,
): Promise<number> {
  const protocol = protocolOf(options)
  if (protocol?.lossAccount === 'clock' && options.rate !== 1)
    throw new StartupError(
      `The packets of ${protocol.name} have no numbers, only a clock tells which are lost: --rate must be 1`,
    )
  const seed = options.seed ?? randomInt(2 ** 32)
  const random = seededRandom(seed)
  const client = createGatewayClient({ url: options.url, clock, random, signal })
  let calls: readonly CallProgress[] = []
  try {
    const recordings = await loadRecordings()
    await client.greet()
    output.write(`${announce({ ...options, seed })}\n\n`)
    const display = startProgress(output, clock.now)
    const onProgress = (latest: readonly CallProgress[]) => {
      calls = latest
      display.update(latest)
    }
    const run = randomInt(36 ** runLength)
      .toString(36)
      .padStart(runLength, '0')
    const parts = { recordings, client, clock, run, onProgress }
    const outcomes = await simulate({ ...options, seed }, parts, signal).finally(display.end)
    output.write(writeReport(outcomes, output.columns || plainWidth))
    const differs = outcomes.some(({ differences }) => differences.length > 0)
    return differs ? simulationExit.differs : simulationExit.agrees
  } catch (error) {
    if (!signal.aborted) throw error
    output.write(`\n${sayUnfinished(calls)}\n`)
    return simulationExit.interrupted
  } finally {
    client.close()
  }
}

function announce(options: SimulationOptions): string {
  const { url, calls, rate, loss, reorder, duplicates, jitter, seed } = options
  const percent = (share: number) => `${Number((share * 100).toFixed(2))} %`
  const speed = rate === 0 ? 'as fast as the gateway takes them' : `at ${rate} × real time`
  const protocol = protocolOf(options)
  const by = protocol === undefined ? '' : ` by ${protocol.name}`
  const disorder =
    (protocol?.lossAccount ?? 'numbers') === 'numbers'
      ? `${percent(reorder)} out of order, ${percent(duplicates)} twice, `
      : ''
  return [
    `Playing ${calls} ${calls === 1 ? 'call' : 'calls'} of real speech to ${url}${by}, ${speed}.`,
    `On the way: ${percent(loss)} of the packets lost, ${disorder}` +
      `up to ${Number((jitter * 1000).toFixed(3))} ms of jitter.`,
    `The same again: --seed ${seed}`,
  ].join('\n')
}

function sayUnfinished(calls: readonly CallProgress[]): string {
  const unfinished = calls.filter(({ phase }) => phase !== 'finished')
  if (unfinished.length === 0) return 'Interrupted before the first call.'
  const lines = unfinished.map(({ id, phase, count, counts, planned }) => {
    const where = {
      waiting: 'not begun',
      streaming: `${count} of ${planned} packets ${counts}; silence will complete it`,
      analysing: `all packets ${counts}, its analysis goes on in the gateway`,
      finished: '',
    }
    return `  ${id}  ${where[phase]}`
  })
  return `Interrupted; ${unfinished.length} of ${calls.length} calls are unfinished:\n${lines.join('\n')}`
}
