// A run of the benchmark: a PostgreSQL of its own, one section after the other, the report. Whatever happens, it
// leaves no process and no data behind.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Bench } from './bench.ts'
import { startCluster } from './cluster.ts'
import { killAll } from './processes.ts'
import { describeMachine, stolenTicks } from './report/machine.ts'
import {
  type Measured,
  type Report,
  readResults,
  usualReport,
  writeResults,
} from './report/results.ts'
import type { Section } from './report/section.ts'

/** Measures one section. */
export type Measure = (bench: Bench) => Promise<Section>

/** What is to be measured, by the names of the sections. */
export type Plan = {
  readonly full: boolean
  readonly measures: readonly (readonly [name: string, measure: Measure])[]
  /** Where the results go; by default among those of `npm run bench`. */
  readonly report?: Report
}

/** Runs the plan, writes the report and sets the exit code: 1 when a section failed. */
export async function runBench({ full, measures, report = usualReport }: Plan): Promise<void> {
  await using stack = new AsyncDisposableStack()
  const folder = await mkdtemp(join(tmpdir(), 'gateway-bench-'))
  stack.defer(() => rm(folder, { recursive: true, force: true }))
  let stopping: Promise<void> | undefined
  const stop = (exitCode: number) => {
    stopping ??= stack.disposeAsync().finally(() => process.exit(exitCode))
  }
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.on(signal, () => {
      if (stopping === undefined) console.error('\nStopping …')
      stop(130)
    })
  process.on('uncaughtException', (error) => {
    console.error(error)
    stop(1)
  })
  const starting = startCluster(join(folder, 'data'))
  // Also when it is still starting: it would live on without us.
  stack.defer(() =>
    starting.then(
      (started) => started[Symbol.asyncDispose](),
      () => {},
    ),
  )
  const cluster = await starting
  // The first to be ended, since they use the cluster.
  stack.defer(killAll)

  const circumstances = {
    measuredAt: new Date().toISOString(),
    version: full ? 'full' : 'short',
    machine: describeMachine(folder, cluster.description),
  } as const
  const results: Record<string, Measured> = { ...(await readResults(report)) }
  const failed: string[] = []
  for (const [name, measure] of measures) {
    const bench: Bench = { full, cluster, folder, progress: (text) => console.log(`  ${text}`) }
    const ticks = stolenTicks()
    const began = performance.now()
    console.log(`${name} …`)
    try {
      const section = await measure(bench)
      results[name] = { section, ...circumstances, stolen: stolenSince(ticks) }
      tell(section)
    } catch (error) {
      if (stack.disposed) return
      failed.push(name)
      console.error(`${name} failed:`, error)
    }
    console.log(`  took ${((performance.now() - began) / 1_000).toFixed(0)} s`)
  }
  if (failed.length < measures.length)
    console.log(`\nWritten: ${await writeResults(results, report)}`)
  if (failed.length > 0) {
    console.error(`Not measured: ${failed.join(', ')}; what stands there is of an earlier run.`)
    process.exitCode = 1
  }
}

function tell({ rows }: Section): void {
  for (const { what, figure, baseline, ratio, met } of rows) {
    const beside = baseline === undefined ? '' : ` (baseline ${baseline})`
    const times = ratio === undefined ? '' : `, ratio ${ratio.toFixed(2)}`
    console.log(
      `  ${met === false ? '✗' : met === true ? '✓' : ' '} ${what}: ${figure}${beside}${times}`,
    )
  }
}

function stolenSince(before: { readonly stolen: number; readonly all: number }): number {
  const after = stolenTicks()
  return (after.stolen - before.stolen) / Math.max(1, after.all - before.all)
}
