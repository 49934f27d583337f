// From `npm start` until requests are taken, with the database in the box.
import { join } from 'node:path'
import type { Bench } from '../bench.ts'
import { startGateway } from '../processes.ts'
import { seconds } from '../report/format.ts'
import type { Section } from '../report/section.ts'
import { median } from '../statistics.ts'

/** Measures it. */
export async function measureStart(bench: Bench): Promise<Section> {
  const rounds = bench.full ? 7 : 3
  const settings = { DATA_DIR: join(bench.folder, 'start') }
  const starts: number[] = []
  for (let round = 0; round <= rounds; round += 1) {
    await using gateway = await startGateway(settings)
    starts.push(gateway.readyAfter)
  }
  const [first = Number.NaN, ...later] = starts
  return {
    title: 'Start-up',
    about: 'From the start of the process until it takes requests, with the embedded PostgreSQL.',
    rows: [
      { what: 'first start, with initdb and migrations', figure: seconds(first) },
      { what: `later start, median of ${rounds}`, figure: seconds(median(later)) },
    ],
    plots: [],
  }
}
