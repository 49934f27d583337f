// Finds out why a gateway does not do what is expected of it: looks at everything it stands on, plays a call through
// every listener, and says for each what is wrong and the line that mends it.
import type { Config } from '../config.ts'
import { examineDatabase } from './database.ts'
import type { Finding } from './finding.ts'
import { examineGateway } from './gateway.ts'
import { examineListeners, skipListeners } from './listeners.ts'
import { examinePublicUrl } from './public-url.ts'
import { examineSurroundings } from './surroundings.ts'

export type { Finding } from './finding.ts'

/** What to look at. */
export type Examination = {
  /** The settings of the gateway. */
  readonly config: Config
  /** Where it listens, `http://host:port`. */
  readonly url: string
  /** Milliseconds since 1970. */
  readonly now: () => number
}

/** Looks at everything; nothing that is found out throws. */
export async function examine({ config, url, now }: Examination): Promise<readonly Finding[]> {
  const [running, database, surroundings] = await Promise.all([
    examineRunning(config, url),
    examineDatabase(config, now),
    examineSurroundings(config),
  ])
  const { gateway, publicUrl, listeners } = running
  return [...gateway, ...database, ...surroundings, ...publicUrl, ...listeners]
}

async function examineRunning(config: Config, url: string) {
  const gateway = await examineGateway(url)
  if (gateway.some(({ check, verdict }) => check === 'gateway' && verdict === 'problem'))
    return { gateway, publicUrl: [], listeners: skipListeners() }
  const [publicUrl, listeners] = await Promise.all([
    examinePublicUrl(config, url),
    examineListeners(config, url),
  ])
  return { gateway, publicUrl, listeners }
}

const marks = { ok: 'ok', warning: 'warn', problem: 'BAD', skipped: '-' } as const
const markWidth = 6

/** The findings as lines for a person. */
export function describeFindings(findings: readonly Finding[]): string {
  const width = Math.max(...findings.map(({ check }) => check.length)) + 2
  const lines = findings.flatMap(({ check, verdict, text, fix }) => {
    const indent = ' '.repeat(markWidth + width)
    return [
      `${marks[verdict].padEnd(markWidth)}${check.padEnd(width)}${text}`,
      ...(fix === undefined ? [] : [`${indent}mend: ${fix}`]),
    ]
  })
  const count = (verdict: Finding['verdict']) =>
    findings.filter((finding) => finding.verdict === verdict).length
  const [problems, warnings] = [count('problem'), count('warning')]
  const summary =
    problems > 0
      ? `${problems} ${problems === 1 ? 'thing keeps' : 'things keep'} the gateway from its work.`
      : 'Nothing keeps the gateway from its work.'
  const more = warnings === 0 ? '' : ` ${warnings} ${warnings === 1 ? 'warning' : 'warnings'}.`
  return `${lines.join('\n')}\n\n${summary}${more}`
}
