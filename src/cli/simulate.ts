// `ai-pbx-gateway simulate`: plays recorded telephone calls to a gateway, as a PBX would, and checks its
// account. Exit codes: 0 every account agrees, 1 one differs, 2 asked wrongly, 130 interrupted.
import { Command, InvalidArgumentError, Option } from 'commander'
import {
  defaultSimulation,
  protocolNames,
  type RunOptions,
  runSimulation,
} from '../simulator/simulation.ts'
import { readConfig } from './environment.ts'
import { parseUrl } from './url.ts'

/** The options as the command line gives them: jitter in milliseconds. */
type CommandOptions = Omit<RunOptions, 'seed' | 'secrets' | 'audioSocketPort'> & {
  readonly seed?: number
  readonly audiosocketPort?: number
}

const defaults = defaultSimulation
const help = `
What a protocol signs with is read from the environment and .env, as the gateway reads it:
TWILIO_AUTH_TOKEN, FONOSTER_ACCESS_KEY_SECRET, GENESYS_API_KEY, GENESYS_CLIENT_SECRET, PUBLIC_URL.
Where packets have no numbers (audiosocket, asterisk, freeswitch, jambonz, vonage), calls are played in
real time, and neither --reorder nor --duplicates applies.`

/** Builds the command. */
export function simulateCommand(): Command {
  return new Command('simulate')
    .description('play calls of real speech to a gateway, as a PBX would, and check its account')
    .option('--url <url>', 'the gateway', parseUrl, defaults.url)
    .addOption(
      new Option('--protocol <name>', 'what the PBX speaks')
        .choices(protocolNames)
        .default(defaults.protocol),
    )
    .option(
      '--audiosocket-port <port>',
      `the gateway's port for audiosocket (default: AUDIOSOCKET_PORT, ${defaults.audioSocketPort})`,
      whole(1, 65_535),
    )
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
    .addHelpText('after', help)
    .action(async ({ jitter, audiosocketPort, ...options }: CommandOptions) => {
      const interruption = new AbortController()
      const interrupt = () => interruption.abort()
      process.once('SIGINT', interrupt)
      process.exitCode = await runSimulation(
        { ...options, ...peerOf(options.protocol, audiosocketPort), jitter: jitter / 1000 },
        process.stdout,
        interruption.signal,
      )
      process.removeListener('SIGINT', interrupt)
    })
}

/** What the gateway and its PBX agree on. The HTTP API needs nothing of it, and reads nothing. */
function peerOf(protocol: string, port?: number): Pick<RunOptions, 'secrets' | 'audioSocketPort'> {
  const { secrets, audioSocketPort } = defaults
  if (protocol === defaults.protocol) return { secrets, audioSocketPort }
  const config = readConfig()
  return {
    audioSocketPort: port ?? (Number(config.AUDIOSOCKET_PORT) || audioSocketPort),
    secrets: {
      publicUrl: config.PUBLIC_URL ?? undefined,
      twilioAuthToken: config.TWILIO_AUTH_TOKEN ?? undefined,
      fonosterSecret: config.FONOSTER_ACCESS_KEY_SECRET ?? undefined,
      genesysApiKey: config.GENESYS_API_KEY ?? undefined,
      genesysClientSecret: config.GENESYS_CLIENT_SECRET ?? undefined,
    },
  }
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
