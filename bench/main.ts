// `npm run bench`: starts gateways with an embedded PostgreSQL of their own, measures them beside honest
// baselines in the same run, prints a table and writes it to bench/results/latest.md.
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { cpus, release, tmpdir, totalmem, type } from 'node:os'
import { join } from 'node:path'
import { startEmbeddedPostgres } from '../src/database/embedded/postgres.ts'
import { createLogger } from '../src/telemetry/logger.ts'
import { measureAnalysisStart } from './analysis-start.ts'
import { measurePackets } from './packets.ts'
import { startGateway } from './processes.ts'

const results = join(import.meta.dirname, 'results')
const folder = await mkdtemp(join(tmpdir(), 'gateway-bench-'))

try {
  console.log('Start-up …')
  const settings = { DATA_DIR: join(folder, 'start'), LOG_LEVEL: 'info' }
  const first = await startGateway(settings)
  await first.stop()
  const later: number[] = []
  for (let round = 0; round < 3; round += 1) {
    const again = await startGateway(settings)
    later.push(again.readyAfter)
    await again.stop()
  }

  const postgres = await startEmbeddedPostgres({
    dataDirectory: join(folder, 'load'),
    logger: createLogger({ level: 'warn', pretty: false }),
  })
  const gateway = await startGateway({
    DATABASE_URL: postgres.url,
    COMPLETION_GRACE_SECONDS: '0',
    AI_SERVICE_FAILURE_RATE: '0',
  })
  console.log('Durable packets beside a bare server …')
  const packets = await measurePackets(gateway, postgres.url)
  console.log('Completion to the start of the analysis …')
  const analysis = await measureAnalysisStart(gateway, postgres.url)
  await gateway.stop()
  await postgres.stop()

  const [processor] = cpus()
  const report = `# Measured by \`npm run bench\`

${new Date().toISOString().slice(0, 10)}, ${cpus().length} × ${processor?.model ?? 'processor'}, \
${Math.round(totalmem() / 2 ** 30)} GiB, ${type()} ${release()}, Node.js ${process.versions.node}, \
embedded PostgreSQL on the same machine, fsync on. Load generator, gateway and database share the \
processors.

| what | gateway | bare \`node:http\` | ratio |
|---|---:|---:|---:|
| durable packets/s, one per POST, 64 connections, 500 calls | ${count(packets.gateway.perSecond)} | \
${count(packets.bare.perSecond)} | ${packets.ratio.toFixed(2)} |
| answer p50 | ${ms(packets.gateway.p50Ms)} | ${ms(packets.bare.p50Ms)} | |
| answer p99 | ${ms(packets.gateway.p99Ms)} | ${ms(packets.bare.p99Ms)} | |
| load generator, share of a core | ${percent(packets.gateway.clientCpu)} | \
${percent(packets.bare.clientCpu)} | |
| acknowledged packets that are not in the database | ${packets.lost} | | |

The bare server parses the same JSON and sends the same answer, and stores nothing. Figures are of the
round with the median ratio, of five interleaved rounds of 4 s.

| what | |
|---|---:|
| completion → analysis starts, p50 (${analysis.calls} calls at 1,000 a minute, no grace) | \
${ms(analysis.p50Ms)} |
| completion → analysis starts, p99 | ${ms(analysis.p99Ms)} |
| first start, with initdb and migrations | ${first.readyAfter.toFixed(1)} s |
| later start, median of three | ${(later.toSorted()[1] ?? Number.NaN).toFixed(1)} s |
`
  await mkdir(results, { recursive: true })
  await writeFile(join(results, 'latest.md'), report)
  console.log(`\n${report}`)
} finally {
  await rm(folder, { recursive: true, force: true })
}

function count(value: number): string {
  return value.toLocaleString('en')
}

function ms(value: number): string {
  return `${value.toFixed(1)} ms`
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`
}
