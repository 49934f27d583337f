// The command line: a file for each command. Exit codes: 0 done, 1 it went wrong, 2 it was asked wrongly.
import { Command } from 'commander'
import { StartupError } from '../errors.ts'
import { doctorCommand } from './doctor.ts'
import { migrateCommand } from './migrate.ts'
import { readVersion } from './package-version.ts'
import { serveCommand } from './serve.ts'
import { simulateCommand } from './simulate.ts'
import { timelineCommand } from './timeline.ts'

const usageError = 2

const program = new Command('ai-pbx-gateway')
  .description('Stands between telephone systems and unreliable AI.')
  .version(readVersion(), '--version', 'print the version')
  .helpOption('--help', 'print this help')
  .helpCommand(false)
  .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : usageError))
  .showHelpAfterError('(see --help)')

for (const command of [
  serveCommand(),
  migrateCommand(),
  simulateCommand(),
  doctorCommand(),
  timelineCommand(),
])
  program.addCommand(command.copyInheritedSettings(program))

try {
  await program.parseAsync()
} catch (error) {
  if (!(error instanceof StartupError)) throw error
  console.error(error.message)
  process.exitCode = usageError
}
