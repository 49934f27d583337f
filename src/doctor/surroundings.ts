// Looks at what the gateway stands on: disk, open files, address, and what it was told of PBXs and AI services.
import { readFile, statfs } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import type { Config } from '../config.ts'
import { showUrl } from './ask.ts'
import { type Finding, found } from './finding.ts'

const leastFreeBytes = 2 ** 30
const lowFreeBytes = 10 * 2 ** 30
/** An hour of a call, two tracks of G.711, in bytes. */
const callHourBytes = 2 * 28.8e6
const fewFiles = 4_096

/** Everything that can be seen without asking anybody. */
export async function examineSurroundings(config: Config): Promise<Finding[]> {
  return [
    ...(await examineDisk(config)),
    ...(await examineFiles()),
    ...examineAddress(config),
    ...examineSecrets(config),
  ]
}

async function examineDisk({ DATABASE_URL, DATA_DIR }: Config): Promise<Finding[]> {
  if (DATABASE_URL !== null)
    return [found.skipped('disk', 'The database is elsewhere; watch its disk there.')]
  const { bavail, bsize } = await statfs(await existing(resolve(DATA_DIR)))
  const free = bavail * bsize
  const text = `${(free / 2 ** 30).toFixed(1)} GiB are free at DATA_DIR: ${Math.floor(free / callHourBytes)} hours of calls.`
  const fix = 'DATA_DIR=/a/larger/disk'
  if (free < leastFreeBytes) return [found.problem('disk', text, fix)]
  return [free < lowFreeBytes ? found.warning('disk', text, fix) : found.ok('disk', text)]
}

/** The folder itself, or the nearest one above that exists. */
async function existing(folder: string): Promise<string> {
  try {
    await statfs(folder)
    return folder
  } catch {
    return existing(dirname(folder))
  }
}

/** Each call is an open file; Linux tells the limit. */
async function examineFiles(): Promise<Finding[]> {
  const limits = await readFile('/proc/self/limits', 'utf8').catch(() => '')
  const limit = /^Max open files\s+(\d+)/m.exec(limits)?.[1]
  if (limit === undefined) return []
  const text = `A process may have ${limit} files and connections open.`
  return [
    Number(limit) >= fewFiles
      ? found.ok('open files', text)
      : found.warning('open files', `${text} Each call takes one.`, 'ulimit -n 20000'),
  ]
}

function examineAddress({ APP_HOST }: Config): Finding[] {
  const isLocal = ['127.0.0.1', '::1', 'localhost'].includes(APP_HOST)
  return [
    isLocal
      ? found.warning(
          'address',
          `APP_HOST is ${APP_HOST}: only PBXs and proxies on this machine reach the gateway.`,
          'APP_HOST=0.0.0.0   (behind a firewall or proxy: the HTTP API has no authentication)',
        )
      : found.ok('address', `The gateway listens on ${APP_HOST}.`),
  ]
}

function examineSecrets(config: Config): Finding[] {
  const { PUBLIC_URL, TWILIO_AUTH_TOKEN, GENESYS_API_KEY, GENESYS_CLIENT_SECRET } = config
  const findings: Finding[] = []
  if (PUBLIC_URL === null)
    findings.push(
      TWILIO_AUTH_TOKEN === null && GENESYS_CLIENT_SECRET === null
        ? found.skipped('public URL', 'PUBLIC_URL is empty; PBXs of the cloud need one.')
        : found.warning(
            'public URL',
            'Signatures are demanded, and PUBLIC_URL is empty: behind a proxy none will fit.',
            'PUBLIC_URL=https://gateway.example.com',
          ),
    )
  else if (!/^(https|wss):/.test(PUBLIC_URL))
    findings.push(
      found.warning(
        'public URL',
        `PUBLIC_URL ${showUrl(PUBLIC_URL)} is not encrypted; Twilio and Genesys connect by wss: only.`,
        `PUBLIC_URL=${showUrl(PUBLIC_URL).replace(/^(http|ws):/, 'https:')}`,
      ),
    )
  findings.push(
    TWILIO_AUTH_TOKEN === null
      ? found.warning(
          'Twilio signature',
          'TWILIO_AUTH_TOKEN is empty: whoever finds /media/twilio can send calls.',
          'TWILIO_AUTH_TOKEN=…   (Twilio console, Account, API keys and tokens)',
        )
      : found.ok('Twilio signature', 'TWILIO_AUTH_TOKEN is set: signatures are demanded.'),
  )
  if ((GENESYS_API_KEY === null) !== (GENESYS_CLIENT_SECRET === null))
    findings.push(
      found.problem(
        'Genesys signature',
        'Of GENESYS_API_KEY and GENESYS_CLIENT_SECRET only one is set.',
        'GENESYS_API_KEY=… GENESYS_CLIENT_SECRET=…   (the integration’s credentials)',
      ),
    )
  else
    findings.push(
      GENESYS_API_KEY === null
        ? found.warning(
            'Genesys signature',
            'GENESYS_API_KEY is empty: whoever finds /media/genesys can send calls.',
            'GENESYS_API_KEY=… GENESYS_CLIENT_SECRET=…   (the integration’s credentials)',
          )
        : found.ok('Genesys signature', 'Key and secret are set: signatures are demanded.'),
    )
  return findings
}
