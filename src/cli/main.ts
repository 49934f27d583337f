// The command line: a file for each command. Exit codes: 0 done, 1 it went wrong, 2 it was asked wrongly.
import { Command } from 'commander'
import { StartupError } from '../errors.ts'
import { readVersion } from './package-version.ts'

const usageError = 2

/** In the order of the help. Only what is asked for is loaded. */
const commands: Readonly<Record<string, () => Promise<Command>>> = {
  serve: async () => (await import('./serve.ts')).serveCommand(),
  migrate: async () => (await import('./migrate.ts')).migrateCommand(),
  simulate: async () => (await import('./simulate.ts')).simulateCommand(),
  doctor: async () => (await import('./doctor.ts')).doctorCommand(),
  timeline: async () => (await import('./timeline.ts')).timelineCommand(),
}

const program = new Command('ai-pbx-gateway')
  .description('Stands between telephone systems and unreliable AI.')
  .version(readVersion(), '--version', 'print the version')
  .helpOption('--help', 'print this help')
  .helpCommand(false)
  .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : usageError))
  .showHelpAfterError('(see --help)')

const [, , asked = ''] = process.argv
const load = Object.hasOwn(commands, asked) ? commands[asked] : undefined
for (const command of await Promise.all(
  (load ? [load] : Object.values(commands)).map((of) => of()),
))
  program.addCommand(command.copyInheritedSettings(program))

try {
  await program.parseAsync()
} catch (error) {
  if (!(error instanceof StartupError)) throw error
  console.error(error.message)
  process.exitCode = usageError
}
