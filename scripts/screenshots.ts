// Takes the pictures of docs/images: starts a gateway on a database of its own, plays simulated calls to it, and
// photographs every view, light and dark. Needs Chromium.
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { Browser } from 'playwright-core'
import { defaultSimulation, runSimulation } from '../src/simulator/simulation.ts'
import { openBrowser, openPage } from '../test/support/browser.ts'
import { startGateway } from '../test/support/gateway.ts'

const images = join(import.meta.dirname, '..', 'docs', 'images')
const folder = mkdtempSync(join(tmpdir(), 'gateway-screenshots-'))
const stop = new AbortController()
const finished = ['http', 'plivo', 'genesys', 'twilio', 'telnyx']
const live = ['twilio', 'genesys', 'stream', 'telnyx']
/** So long after they began, live calls have been heard and are not over yet; in milliseconds. */
const listeningMs = 8_000

mkdirSync(images, { recursive: true })
try {
  await using gateway = await startGateway('', {
    DATA_DIR: join(folder, 'data'),
    LOG_LEVEL: 'info',
    AI_SERVICE_FAILURE_RATE: '0.3',
    AI_SERVICE_MIN_LATENCY: '0.6',
    AI_SERVICE_MAX_LATENCY: '2.4',
    MAX_RETRY_ATTEMPTS: '2',
    RETRY_INITIAL_WAIT: '1',
    RETRY_MAX_WAIT: '10',
    REDRIVE_INITIAL_WAIT: '280',
    REDRIVE_MAX_WAIT: '600',
  })
  await using browser = await openBrowser()
  const { url } = gateway
  await photograph(browser, `${url}/`, 'empty', '.empty')
  await Promise.all(
    finished.map((protocol, seed) => play(url, { protocol, calls: 5, rate: 1, seed, timeout: 8 })),
  )
  const playing = live.map((protocol, index) =>
    play(url, { protocol, calls: 5, rate: 1, seed: 10 + index, timeout: 0 }),
  )
  await pause(listeningMs)
  await photograph(browser, `${url}/`, 'floor', 'tbody tr', true)
  const call = await bestCall(url)
  await photograph(browser, `${url}/#/call/${call}`, 'call', '.lines .line')
  await photograph(browser, `${url}/#/providers`, 'providers', '.plot canvas')
  await photograph(browser, `${url}/#/system`, 'system', '.plot canvas')
  stop.abort()
  await Promise.all(playing)
} finally {
  rmSync(folder, { recursive: true, force: true })
}

type Play = Partial<typeof defaultSimulation> & { readonly seed: number }

async function play(url: string, change: Play): Promise<void> {
  const output = { write: () => true }
  await runSimulation({ ...defaultSimulation, url, ...change }, output, stop.signal)
}

/** A call that has all there is to show: it was analysed, and something of it was lost. */
async function bestCall(url: string): Promise<string> {
  const reply = await fetch(`${url}/v1/floor`)
  const { calls } = (await reply.json()) as {
    calls: { call_id: string; status: string; source: string; lost_packets: number }[]
  }
  const found = calls.find(
    ({ status, source, lost_packets: lost }) =>
      status === 'ARCHIVED' && source === 'telnyx' && lost > 0,
  )
  return found?.call_id ?? calls.find(({ status }) => status === 'ARCHIVED')?.call_id ?? ''
}

/** Waits for an element of the view and for its figures to fill. */
async function photograph(
  browser: Browser,
  url: string,
  name: string,
  ready: string,
  isFollowed = false,
): Promise<void> {
  const shots = [
    ['light', { width: 1440, height: 900 }, `${name}-light`],
    ['dark', { width: 1440, height: 900 }, `${name}-dark`],
    ['light', { width: 390, height: 844 }, `${name}-phone`],
  ] as const
  for (const [colorScheme, viewport, file] of shots) {
    const { page, problems } = await openPage(browser, { colorScheme, viewport })
    await page.goto(url)
    await page.locator(ready).first().waitFor()
    await pause(isFollowed ? 3_000 : 1_000)
    const path = join(images, `${file}.png`)
    await page.screenshot({ path })
    if (file === 'floor-light') await page.screenshot({ path: join(images, 'desk.png') })
    if (problems.length > 0) throw new Error(`${file}: ${problems.join('; ')}`)
    console.log(path)
    await page.context().close()
  }
}
