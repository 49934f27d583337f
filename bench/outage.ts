// `npm run bench:outage`: the AI service is away for ten minutes while calls go on; `-- --minutes 0.5` is a scaled
// run. Writes results/outage.md and its plots.
import { parseArgs } from 'node:util'
import { runBench } from './run.ts'
import { measureOutage, type OutageOptions } from './sections/outage.ts'

const defaultMinutes = 10

const outage = readArguments()
await runBench({
  full: outage.minutes >= defaultMinutes,
  measures: [['outage', (bench) => measureOutage(bench, outage)]],
  report: {
    name: 'outage',
    command: 'npm run bench:outage',
    figures: 'Each figure stands beside its baseline of the same run.',
  },
})

function readArguments(): OutageOptions {
  try {
    const { values } = parseArgs({
      options: {
        minutes: { type: 'string', default: String(defaultMinutes) },
        live: { type: 'string', default: '20' },
        completed: { type: 'string', default: '2' },
      },
    })
    const number = (name: keyof typeof values) => {
      const value = Number(values[name])
      if (value > 0 && Number.isFinite(value)) return value
      throw new Error(`--${name} is a number above 0`)
    }
    return {
      minutes: number('minutes'),
      liveCalls: number('live'),
      completedPerSecond: number('completed'),
    }
  } catch (error) {
    console.error(error instanceof Error ? error.message : error)
    console.error(
      'Options: --minutes 10, --live 20 (calls at once), --completed 2 (calls a second)',
    )
    process.exit(2)
  }
}
