// `npm run bench`: measures the gateway beside honest baselines and writes results/latest.md, latest.json and
// plots. `--full` is the long version; `--only packets,streams` measures these and keeps the others.
import { parseArgs } from 'node:util'
import { type Plan, runBench } from './run.ts'
import { sections } from './sections.ts'

await runBench(readArguments())

function readArguments(): Plan {
  try {
    const { values } = parseArgs({
      options: { full: { type: 'boolean', default: false }, only: { type: 'string' } },
    })
    const names = values.only?.split(',')
    const unknown = names?.filter((name) => !(name in sections)) ?? []
    if (unknown.length > 0)
      throw new Error(
        `There is no section ${unknown.join(', ')}; there are ${Object.keys(sections).join(', ')}`,
      )
    return {
      full: values.full,
      measures: Object.entries(sections).filter(([name]) => names?.includes(name) ?? true),
    }
  } catch (error) {
    console.error(error instanceof Error ? error.message : error)
    process.exit(2)
  }
}
