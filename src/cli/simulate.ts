// `ai-pbx-gateway simulate`: plays recorded telephone calls to a gateway, as a PBX would, and checks its
// account. Exit codes: 0 every account agrees, 1 one differs, 2 asked wrongly, 130 interrupted.
import { Command, InvalidArgumentError } from 'commander'
import { defaultSimulation, type RunOptions, runSimulation } from '../simulator/simulation.ts'

/** The options as the command line gives them: jitter in milliseconds. */
type CommandOptions = Required<Omit<RunOptions, 'seed'>> & { seed?: number }

const defaults = defaultSimulation

/** Builds the command. */
export function simulateCommand(): Command {
  return new Command('simulate')
    .description('play calls of real speech to a gateway, as a PBX would, and check its account')
    .option('--url <url>', 'the gateway', parseUrl, defaults.url)
    .option('--calls <count>', 'how many calls', whole(1, 10_000), defaults.calls)
    .option(
      '--rate <factor>',
      'how fast: 1 is real time, 0 as fast as the gateway takes packets',
      decimal(0, 1000),
      defaults.rate,
    )
    .option('--loss <share>', 'packets that never leave', decimal(0, 1), defaults.loss)
    .option('--reorder <share>', 'packets that leave late', decimal(0, 1), defaults.reorder)
    .option('--duplicates <share>', 'packets that leave twice', decimal(0, 1), defaults.duplicates)
    .option(
      '--jitter <ms>',
      'the most a packet is delayed',
      decimal(0, 10_000),
      defaults.jitter * 1000,
    )
    .option('--seed <number>', 'repeats a run (default: drawn, and printed)', whole(0, 2 ** 32 - 1))
    .option(
      '--timeout <seconds>',
      'how long to wait for the analysis',
      decimal(0, 86_400),
      defaults.timeout,
    )
    .action(async ({ jitter, ...options }: CommandOptions) => {
      const interruption = new AbortController()
      const interrupt = () => interruption.abort()
      process.once('SIGINT', interrupt)
      process.exitCode = await runSimulation(
        { ...options, jitter: jitter / 1000 },
        process.stdout,
        interruption.signal,
      )
      process.removeListener('SIGINT', interrupt)
    })
}

function decimal(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = /^(\d+\.?\d*|\.\d+)$/.test(text) ? Number(text) : Number.NaN
    if (value >= min && value <= max) return value
    throw new InvalidArgumentError(`It must be a number from ${min} to ${max}.`)
  }
}

function whole(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = /^\d+$/.test(text) ? Number(text) : Number.NaN
    if (value >= min && value <= max) return value
    throw new InvalidArgumentError(`It must be a whole number from ${min} to ${max}.`)
  }
}

function parseUrl(text: string): string {
  if (/^https?:\/\//.test(text) && URL.canParse(text)) return text.replace(/\/+$/, '')
  throw new InvalidArgumentError('It must be a URL such as http://127.0.0.1:8000.')
}
