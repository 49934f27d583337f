// `ai-pbx-gateway doctor`: says what is wrong with a gateway and how to mend it. Exit codes: 0 nothing keeps it from
// its work, 1 something does, 2 asked wrongly.
import { Command } from 'commander'
import type { Config } from '../config.ts'
import { describeFindings, examine } from '../doctor/doctor.ts'
import { StartupError } from '../errors.ts'
import { readConfig } from './environment.ts'
import { parseUrl } from './url.ts'

/** Builds the command. */
export function doctorCommand(): Command {
  return new Command('doctor')
    .description(
      'look at a running gateway and all it stands on, and play a call through every listener',
    )
    .option('--url <url>', 'the gateway (default: as APP_HOST and APP_PORT say)', parseUrl)
    .option('--json', 'print the findings as JSON')
    .action(async ({ url, json }: { readonly url?: string; readonly json?: true }) => {
      const config = readConfig()
      const findings = await examine({ config, url: url ?? urlOf(config), now: Date.now })
      const isWell = findings.every(({ verdict }) => verdict !== 'problem')
      const text =
        json === true
          ? JSON.stringify({ ok: isWell, findings }, undefined, 2)
          : describeFindings(findings)
      // Nothing that hangs keeps it from its end.
      process.stdout.write(`${text}\n`, () => process.exit(isWell ? 0 : 1))
    })
}

function urlOf({ APP_HOST, APP_PORT }: Config): string {
  if (APP_PORT === 0)
    throw new StartupError(
      'APP_PORT is 0, so only the log of the gateway says where it listens. Say it: --url <url>',
    )
  const host = ['0.0.0.0', '::'].includes(APP_HOST) ? '127.0.0.1' : APP_HOST
  return `http://${host.includes(':') ? `[${host}]` : host}:${APP_PORT}`
}
