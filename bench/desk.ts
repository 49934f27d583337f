// `npm run bench:desk`: the desk with 1,000 live calls and 50 changes a second, in a real Chromium: frames, memory,
// and from the database's time of an event to the frame that shows it. Writes results/desk.md.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { cpus, loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { Page } from 'playwright-core'
import { openBrowser, openPage } from '../test/support/browser.ts'
import { completeCall, sendPacket, startGateway } from '../test/support/gateway.ts'
import { until } from '../test/support/until.ts'

const liveCalls = 1_000
/** So many calls begin a second, and as many end; each that ends changes its state four times. */
const callsPerSecond = 10
const seconds = Number(process.argv[2] ?? 20)
const bars = { frames: 50, megabytes: 150, delayMs: 150 }

/** What is measured inside the page: when rows are first in a frame, and how many frames there were. */
const instruments = `
  window.seen = new Map(); window.frames = []; window.isMeasured = true
  new MutationObserver((changes) => {
    const ids = changes.flatMap(({ addedNodes }) => [...addedNodes])
      .map((node) => node.querySelector?.('a')?.title).filter(Boolean)
    // The frame after this one begins when this one is on the screen.
    requestAnimationFrame(() => setTimeout(() => {
      for (const id of ids) if (!window.seen.has(id)) window.seen.set(id, Date.now())
    }))
  }).observe(document.querySelector('tbody'), { childList: true })
  const count = (now) => { window.frames.push(now); if (window.isMeasured) requestAnimationFrame(count) }
  requestAnimationFrame(count)`

const folder = mkdtempSync(join(tmpdir(), 'bench-desk-'))
try {
  await using gateway = await startGateway('', {
    DATA_DIR: join(folder, 'data'),
  })
  await using browser = await openBrowser()
  const idle = loadavg()[0] ?? 0
  await begin(gateway.url, 0, liveCalls, 40)
  const { page } = await openPage(browser, { viewport: { width: 1440, height: 900 } })
  await page.goto(gateway.url)
  await until('all calls are on the page', async () =>
    (await page.locator('.shown').textContent())?.startsWith('1,000'),
  )
  await page.evaluate(instruments)
  const changes = await changeFor(gateway.url, seconds)
  await pause(500)
  const { frames, seen } = await page.evaluate<Measured>(
    '(window.isMeasured = false, { frames: window.frames, seen: [...window.seen] })',
  )
  const delays = await delaysOf(gateway.url, new Map(seen))
  report(idle, changes, frames, delays, await heapOf(page))
} finally {
  rmSync(folder, { recursive: true, force: true })
}

type Measured = { readonly frames: number[]; readonly seen: [string, number][] }

function id(index: number): string {
  return `call-${String(index).padStart(6, '0')}`
}

async function begin(url: string, from: number, count: number, atOnce: number): Promise<void> {
  for (let first = from; first < from + count; first += atOnce)
    await Promise.all(
      Array.from({ length: atOnce }, (_, index) => sendPacket(url, id(first + index), 1)),
    )
}

/** Begins and ends calls at a steady pace; how many of each. */
async function changeFor(url: string, duration: number): Promise<number> {
  const began = performance.now()
  const total = duration * callsPerSecond
  const sent: Promise<unknown>[] = []
  for (let index = 0; index < total; index += 1) {
    const due = began + (index * 1_000) / callsPerSecond
    await pause(Math.max(0, due - performance.now()))
    sent.push(sendPacket(url, id(liveCalls + index), 1), completeCall(url, id(index)))
  }
  await Promise.all(sent)
  return total
}

/** From the database's time of a call's first event to its frame, sorted; in milliseconds. */
async function delaysOf(url: string, seen: ReadonlyMap<string, number>): Promise<number[]> {
  const reply = await fetch(`${url}/v1/floor?limit=5000`)
  const { calls } = (await reply.json()) as { calls: { call_id: string; started_at: string }[] }
  return calls
    .flatMap(({ call_id, started_at }) => {
      const at = seen.get(call_id)
      return at === undefined || call_id < id(liveCalls) ? [] : [at - Date.parse(started_at)]
    })
    .toSorted((one, other) => one - other)
}

async function heapOf(page: Page): Promise<number> {
  const session = await page.context().newCDPSession(page)
  await session.send('HeapProfiler.collectGarbage')
  const { usedSize } = await session.send('Runtime.getHeapUsage')
  return usedSize / 1e6
}

function report(
  idle: number,
  changes: number,
  frames: number[],
  delays: number[],
  heap: number,
): void {
  const lasted = ((frames.at(-1) ?? 0) - (frames[0] ?? 0)) / 1_000
  const gaps = frames.slice(1).map((frame, index) => frame - (frames[index] ?? frame))
  const longest = Math.max(...gaps)
  const rate = (frames.length - 1) / lasted
  const [p50, p95] = [0.5, 0.95].map(
    (share) => delays[Math.floor(delays.length * share)] ?? Number.NaN,
  )
  const verdict = (isMet: boolean) => (isMet ? 'met' : '**missed**')
  const text = `# The desk, measured by \`npm run bench:desk\`

${liveCalls.toLocaleString('en')} live calls; ${callsPerSecond} begin and ${callsPerSecond} end a second for ${seconds} s (about ${callsPerSecond * 5} changes a second), in a headless Chromium
of 1440 by 900 pixels without a graphics card, which shares ${cpus().length} cores with the gateway, PostgreSQL and the load.
Load average before: ${idle.toFixed(2)}. Measured ${new Date().toISOString().slice(0, 16)} UTC.

| what | figure | bar |
| --- | ---: | --- |
| frames a second | ${rate.toFixed(1)} | ≥ ${bars.frames}: ${verdict(rate >= bars.frames)} |
| longest frame | ${longest.toFixed(0)} ms | |
| JavaScript heap, after a collection | ${heap.toFixed(1)} MB | < ${bars.megabytes} MB: ${verdict(heap < bars.megabytes)} |
| from the database's time of an event to the frame that shows it, p50 | ${p50?.toFixed(0)} ms | |
| p95, of ${delays.length} of ${changes} new calls | ${p95?.toFixed(0)} ms | ≤ ${bars.delayMs} ms: ${verdict((p95 ?? Number.NaN) <= bars.delayMs)} |
`
  writeFileSync(join(import.meta.dirname, 'results', 'desk.md'), text)
  console.log(text)
}
