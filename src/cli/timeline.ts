// `ai-pbx-gateway timeline <call_id>`: prints what happened to a call, for people. Exit codes: 0 printed, 1 there is
// no such call, or the gateway cannot say, 2 asked wrongly, or no gateway.
import { Command } from 'commander'
import { StartupError } from '../errors.ts'
import { parseUrl } from './url.ts'

/** The timeline of a call, as far as it is printed. */
export type Timeline = {
  readonly call_id: string
  readonly status: string
  readonly why: string | null
  readonly left_out: number
  readonly entries: readonly { readonly at: string; readonly text: string }[]
}

const patienceMs = 10_000

/** Builds the command. */
export function timelineCommand(): Command {
  return new Command('timeline')
    .description('print what happened to a call, and why it has no transcript if it has none')
    .argument('<call_id>', 'the call')
    .option('--url <url>', 'the gateway', parseUrl, 'http://127.0.0.1:8000')
    .option('--json', 'print the answer of the gateway, with times in UTC')
    .action(async (callId: string, { url, json }: { url: string; json?: boolean }) => {
      const { status, body } = await ask(url, callId)
      if (status === 404 && body.code === 'call_not_found') fail(String(body.detail))
      else if (status === 422) throw new StartupError(`${JSON.stringify(callId)} is no call id.`)
      else if (status >= 500) fail(`The gateway at ${url} cannot say: ${String(body.detail)}.`)
      else if (status !== 200 || !Array.isArray(body.entries))
        throw new StartupError(`What answers at ${url} is no gateway of this version.`)
      else if (json === true) console.log(JSON.stringify(body, null, 2))
      else console.log(formatTimeline(body as Timeline, localTimeZone()))
    })
}

async function ask(url: string, callId: string) {
  try {
    const response = await fetch(`${url}/v1/call/${encodeURIComponent(callId)}/timeline`, {
      signal: AbortSignal.timeout(patienceMs),
    })
    const text = await response.text()
    return { status: response.status, body: parse(text) }
  } catch (error) {
    const reason = error instanceof Error && error.name === 'TimeoutError' ? ' in time' : ''
    throw new StartupError(`No gateway answers at ${url}${reason}.`, { cause: error })
  }
}

function parse(text: string): Record<string, unknown> {
  try {
    return Object(JSON.parse(text))
  } catch {
    return {}
  }
}

function fail(message: string): void {
  console.error(message)
  process.exitCode = 1
}

function localTimeZone(): string {
  return Intl.DateTimeFormat().resolvedOptions().timeZone
}

const isoTime = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/g

/**
 * The timeline as text, a line for each entry.
 * @param timeZone in which all times are shown, as `Europe/Berlin`
 */
export function formatTimeline(timeline: Timeline, timeZone: string): string {
  // The locale writes dates as ISO 8601 does.
  const format = new Intl.DateTimeFormat('sv-SE', {
    timeZone,
    dateStyle: 'short',
    timeStyle: 'medium',
  })
  const local = (time: string): string => `${format.format(new Date(time))}${time.slice(19, 23)}`
  // What a PBX or an AI said must not move the cursor.
  const shown = (text: string): string =>
    text.replace(/\p{Cc}+/gu, ' ').replaceAll(isoTime, (time) => local(time))
  const { call_id: callId, status, why, left_out: leftOut, entries } = timeline
  return [
    `${callId}: ${status} (times in ${timeZone})`,
    '',
    ...(leftOut > 0 ? [`${leftOut.toLocaleString('en')} older entries are left out.`] : []),
    ...entries.map(({ at, text }) => `${local(at)}  ${shown(text)}`),
    ...(why === null ? [] : ['', `Why there is no transcript: ${shown(why)}`]),
  ].join('\n')
}
