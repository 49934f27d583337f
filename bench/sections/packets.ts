// One durable packet a POST, beside a bare server that parses the same JSON and sends the same answer.
import { type Bench, startCpuMeter, startMeasuredGateway } from '../bench.ts'
import { countStored } from '../cluster.ts'
import { loadProgram, loadWithPosts, type PacketFigures, runOwnLoad } from '../post-load.ts'
import { startBareServer } from '../processes.ts'
import { count, microsecondsEach, ms, percent } from '../report/format.ts'
import type { Section } from '../report/section.ts'
import { median, medianBy } from '../statistics.ts'

const load = { connections: 64, calls: 500 }
const seconds = 4
const wanted = 0.7

type Measured = PacketFigures & { readonly server: number; readonly postgres: number }

/** Measures it. */
export async function measurePackets(bench: Bench): Promise<Section> {
  // Many: a busy host slows one server of a round and not the other.
  const rounds = bench.full ? 15 : 7
  await using bare = await startBareServer(new URL('../bare-server.ts', import.meta.url))
  await using gateway = await startMeasuredGateway(bench)
  const warm = { ...load, run: 'warm', seconds: 2 }
  await runOwnLoad(bare, warm)
  const exact = await runOwnLoad(gateway, warm)
  const stored = await countStored(gateway.databaseUrl, 'warm-')

  const measured: { bare: Measured; gateway: Measured }[] = []
  for (let round = 1; round <= rounds; round += 1) {
    bench.progress(`round ${round} of ${rounds}`)
    const run = { ...load, run: `round-${round}`, seconds }
    const meter = startCpuMeter(bench, gateway)
    const ours = await loadWithPosts(gateway, run)
    const { server } = meter()
    const bareMeter = startCpuMeter(bench, bare)
    const floor = await loadWithPosts(bare, run)
    measured.push({
      gateway: { ...ours, server, postgres: meter().postgres },
      bare: { ...floor, server: bareMeter().server, postgres: 0 },
    })
  }
  const rounded = await countStored(gateway.databaseUrl, 'round-')
  const acknowledged = measured.reduce((sum, round) => sum + round.gateway.acknowledged, 0)
  const refused = measured.reduce((sum, round) => sum + round.gateway.refused, exact.refused)
  const lost =
    Math.max(0, exact.acknowledged - stored.packets) +
    Math.max(0, acknowledged - rounded.packets) +
    Math.max(0, rounded.missing - refused)

  const ratioOf = (round: { bare: Measured; gateway: Measured }) =>
    round.gateway.perSecond / round.bare.perSecond
  const ratio = median(measured.map(ratioOf))
  const middle = medianBy(measured, ratioOf)
  const { gateway: ours, bare: floor } = middle
  return {
    title: 'One durable packet per POST',
    about: `${load.connections} keep-alive connections, ${load.calls} calls, 160 bytes of audio in \
base64, ${rounds} rounds of ${seconds} s in turns with a bare \`node:http\` server that parses the same JSON, \
sends the same answer and stores nothing. Load: \`${loadProgram}\`. Figures are of the round with the median \
ratio. That the load is not the bottleneck: it takes ${percent(ours.loadCpu)} of a core here, and the same \
load gets ${count(floor.perSecond)} answers/s out of the bare server with ${percent(floor.loadCpu)}. PostgreSQL's \
processor time is counted until the baseline has ended, so that what it does afterwards is among it. Lost \
packets: acknowledged and not stored, or holes in what is stored that nobody was told of; of a warm-up whose every answer was awaited, \
and of all rounds.`,
    rows: [
      {
        what: 'durable packets/s',
        figure: count(ours.perSecond),
        baseline: count(floor.perSecond),
        ratio,
        bar: `ratio ≥ ${wanted}`,
        met: ratio >= wanted,
      },
      { what: 'answer, p50', figure: ms(ours.p50Ms), baseline: ms(floor.p50Ms) },
      { what: 'answer, p99', figure: ms(ours.p99Ms), baseline: ms(floor.p99Ms) },
      {
        what: 'processor time per packet, server',
        figure: microsecondsEach(ours.server, ours.acknowledged),
        baseline: microsecondsEach(floor.server, floor.acknowledged),
      },
      {
        what: 'processor time per packet, PostgreSQL',
        figure: microsecondsEach(ours.postgres, ours.acknowledged),
      },
      {
        what: 'cores used by server, PostgreSQL, load',
        figure: shares(ours),
        baseline: shares(floor),
      },
      { what: 'answers other than 202', figure: count(refused), bar: '0', met: refused === 0 },
      {
        what: `lost, of ${count(exact.acknowledged + acknowledged)} acknowledged`,
        figure: count(lost),
        bar: '0',
        met: lost === 0,
      },
    ],
    plots: [
      {
        kind: 'bar',
        name: 'packets',
        title: 'One packet per POST, by round',
        y: { label: 'packets', unit: '1/s' },
        groups: measured.map((_, round) => `round ${round + 1}`),
        series: [
          { name: 'gateway, durable', values: measured.map((one) => one.gateway.perSecond) },
          {
            name: 'bare node:http, nothing stored',
            values: measured.map((one) => one.bare.perSecond),
          },
        ],
      },
    ],
  }
}

function shares({ server, postgres, seconds, loadCpu }: Measured): string {
  return [server / seconds, postgres / seconds, loadCpu].map((share) => share.toFixed(2)).join(', ')
}
