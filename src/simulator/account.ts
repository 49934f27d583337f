// Compares what the gateway says about a call with what really happened to it. Pure.
import type { GatewayCall } from './gateway-client.ts'
import type { CallPlan } from './plan.ts'

/** Whole numbers, from `from` to `to`, both included. */
export type NumberRange = { readonly from: number; readonly to: number }

const longestSpelledOut = 10

/** Reads `missing_packets`, such as `2,3,5-40`; `undefined` when it is not ascending numbers and ranges. */
export function parseMissing(text: string): readonly NumberRange[] | undefined {
  if (text === '') return []
  const ranges: NumberRange[] = []
  for (const part of text.split(',')) {
    const match = /^(\d+)(?:-(\d+))?$/.exec(part)
    if (match === null) return undefined
    const from = Number(match[1])
    const to = Number(match[2] ?? match[1])
    if (to < from || from <= (ranges.at(-1)?.to ?? -1)) return undefined
    ranges.push({ from, to })
  }
  return ranges
}

/** Writes ascending numbers as the gateway does: more than 10 in a row become `5-40`. */
export function writeMissing(numbers: readonly number[]): string {
  const runs: { from: number; to: number }[] = []
  for (const number of numbers) {
    const run = runs.at(-1)
    if (run !== undefined && run.to === number - 1) run.to = number
    else runs.push({ from: number, to: number })
  }
  return runs
    .map(({ from, to }) => {
      const length = to - from + 1
      if (length > longestSpelledOut) return `${from}-${to}`
      return Array.from({ length }, (_, index) => from + index).join(',')
    })
    .join(',')
}

/** How many numbers the ranges hold. */
export function countMissing(ranges: readonly NumberRange[]): number {
  return ranges.reduce((sum, { from, to }) => sum + to - from + 1, 0)
}

/** What is wrong with the gateway's account of a call of which every packet was acknowledged. */
export function differencesOf(plan: CallPlan, call: GatewayCall): string[] {
  const differences: string[] = []
  if (call.total_packets !== plan.sent)
    differences.push(
      `account differs: total_packets is ${call.total_packets}, but ${plan.sent} were acknowledged`,
    )
  const reported = parseMissing(call.missing_packets)
  if (reported === undefined) {
    differences.push(`account differs: missing_packets cannot be read: “${call.missing_packets}”`)
    return differences
  }
  const highest = plan.sent + plan.missing.length
  const truth = new Set(plan.missing)
  const isReported = (number: number) =>
    reported.some(({ from, to }) => from <= number && number <= to)
  const everySequence = Array.from({ length: highest + 1 }, (_, sequence) => sequence)
  const wrongly = everySequence.filter((sequence) => isReported(sequence) && !truth.has(sequence))
  const silently = plan.missing.filter((sequence) => !isReported(sequence))
  const beyond = reported.at(-1)?.to ?? 0
  if (wrongly.length > 0)
    differences.push(
      `account differs: reported missing, but acknowledged: ${writeMissing(wrongly)}`,
    )
  if (silently.length > 0)
    differences.push(`account differs: dropped, but not reported: ${writeMissing(silently)}`)
  if (beyond > highest)
    differences.push(`account differs: ${beyond} is reported missing, but never was to be sent`)
  return differences
}
