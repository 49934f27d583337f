// `ai-pbx-gateway doctor`: says what is wrong with a gateway and how to mend it. Exit codes: 0 nothing keeps it from
// its work, 1 something does, 2 asked wrongly.
import { Command } from 'commander'
import { describeFindings, examine } from '../doctor/doctor.ts'
import { readConfig } from './environment.ts'

/** Builds the command. */
export function doctorCommand(): Command {
  return new Command('doctor')
    .description(
      'look at a running gateway and all it stands on, and play a call through every listener',
    )
    .option('--url <url>', 'the gateway (default: as APP_HOST and APP_PORT say)')
    .option('--json', 'print the findings as JSON')
    .action(async ({ url, json }: { url?: string; json?: true }) => {
      const config = readConfig()
      const host = ['0.0.0.0', '::'].includes(config.APP_HOST) ? '127.0.0.1' : config.APP_HOST
      const findings = await examine({
        config,
        url: url?.replace(/\/+$/, '') ?? `http://${host}:${config.APP_PORT}`,
        now: Date.now,
      })
      const isWell = findings.every(({ verdict }) => verdict !== 'problem')
      console.log(
        json === true
          ? JSON.stringify({ ok: isWell, findings }, undefined, 2)
          : describeFindings(findings),
      )
      process.exitCode = isWell ? 0 : 1
    })
}
