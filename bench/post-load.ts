// The load of one packet a POST, for a while: by wrk where there is one, else by load/posts.ts.
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { portOf } from './bench.ts'
import type { PostFigures, PostOptions } from './load/posts.ts'
import { type Listening, runLoad, runProgram } from './processes.ts'
import { mergeHistograms } from './statistics.ts'

/** What a run of the load measured. */
export type PacketFigures = {
  readonly perSecond: number
  readonly seconds: number
  /** Answers 202. */
  readonly acknowledged: number
  /** All other answers, and broken connections. */
  readonly refused: number
  readonly p50Ms: number
  readonly p99Ms: number
  /** Processor time of the load itself, as a share of one core. */
  readonly loadCpu: number
}

/** How the load is to be. */
export type PacketLoad = {
  readonly run: string
  readonly connections: number
  readonly calls: number
  readonly seconds: number
}

/** The name of the program that makes the load. */
export const loadProgram = findWrk()

/** Runs the load against a server. */
export function loadWithPosts(server: Listening, load: PacketLoad): Promise<PacketFigures> {
  return loadProgram === 'wrk' ? runWrk(server, load) : runOwnLoad(server, load)
}

/** The same by load/posts.ts, whose connections all wait for their last answer. */
export async function runOwnLoad(server: Listening, load: PacketLoad): Promise<PacketFigures> {
  const options: PostOptions = { port: portOf(server), ...load }
  const figures = await runLoad<PostFigures>(new URL('./load/posts.ts', import.meta.url), options)
  const latency = mergeHistograms([figures.acceptedMs])
  return {
    perSecond: figures.accepted / figures.seconds,
    seconds: figures.seconds,
    acknowledged: figures.accepted,
    refused: figures.shed + figures.other,
    p50Ms: latency.percentile(0.5),
    p99Ms: latency.percentile(0.99),
    loadCpu: figures.cpuSeconds / figures.seconds,
  }
}

type WrkFigures = {
  readonly answered: number
  readonly seconds: number
  readonly refused: number
  readonly broken: number
  readonly p50Ms: number
  readonly p99Ms: number
}

async function runWrk(
  server: Listening,
  { run, connections, calls, seconds }: PacketLoad,
): Promise<PacketFigures> {
  const script = fileURLToPath(new URL('./load/posts.lua', import.meta.url))
  const words = ['-t1', `-c${connections}`, `-d${seconds}s`, '--timeout', '10s', '-s', script]
  const cpu = endedChildrenSeconds()
  const output = await runProgram('wrk', [...words, server.url, '--', run, String(calls)], {})
  const line = output.split('\n').find((text) => text.startsWith('{'))
  if (line === undefined) throw new Error(`wrk has no figures: ${output}`)
  const figures = JSON.parse(line) as WrkFigures
  const acknowledged = figures.answered - figures.refused
  return {
    perSecond: acknowledged / figures.seconds,
    seconds: figures.seconds,
    acknowledged,
    refused: figures.refused + figures.broken,
    p50Ms: figures.p50Ms,
    p99Ms: figures.p99Ms,
    loadCpu: (endedChildrenSeconds() - cpu) / figures.seconds,
  }
}

/** Processor time of our children that have ended (cutime, cstime): between two looks, of wrk alone. */
function endedChildrenSeconds(): number {
  const stat = readFileSync('/proc/self/stat', 'utf8')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[13]) + Number(fields[14])) / 100
}

function findWrk(): 'wrk' | 'load/posts.ts' {
  try {
    execFileSync('sh', ['-c', 'command -v wrk'])
    return 'wrk'
  } catch {
    return 'load/posts.ts'
  }
}
