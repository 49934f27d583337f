// The desk when it cannot keep up with the feed, or comes back to one that has gone on without it.
import assert from 'node:assert/strict'
import { after, suite, test } from 'node:test'
import type { Page } from 'playwright-core'
import type { FloorCall } from '../../web/src/state/types.ts'
import { openBrowser, openPage, type WatchedPage } from '../support/browser.ts'
import { openLine } from '../support/cuttable-line.ts'
import { openStream } from '../support/event-stream.ts'
import { readFloor } from '../support/floor-model.ts'
import { completeCall, sendPacket } from '../support/gateway.ts'
import { callIds, storeCalls } from '../support/results.ts'
import { sharedGateway } from '../support/shared-gateway.ts'
import { until } from '../support/until.ts'

const browser = await openBrowser()
after(() => browser.close())

/** Writes down what the feed says to a page: the positions of events, and how often the rest was said. */
const listening = `
  window.heard = { positions: [], snapshot: 0, conflated: 0, resync: 0 }
  window.EventSource = class extends EventSource {
    addEventListener(name, listener) {
      super.addEventListener(name, (event) => {
        if (name in heard) heard[name] += 1
        else if (/^(call|ai|analysis)_/.test(name)) heard.positions.push(Number(event.lastEventId))
        listener(event)
      })
    }
  }`

type Heard = {
  readonly positions: readonly number[]
  readonly snapshot: number
  readonly conflated: number
  readonly resync: number
}

const heardBy = (page: Page) => page.evaluate<Heard>('heard')

/** Opens the floor, high enough for all rows of these tests. */
async function openFloor(url: string): Promise<WatchedPage> {
  const opened = await openPage(browser, { viewport: { width: 1280, height: 1600 } })
  await opened.page.addInitScript(listening)
  await opened.page.goto(url)
  await opened.page.locator('.connection[data-state="live"]').waitFor()
  return opened
}

const words: Readonly<Record<string, string>> = { IN_PROGRESS: 'live', ARCHIVED: 'done' }

/** What a page shows: of every call its state, what it lost and how often it was tried; and how many are in a state. */
async function shownBy(page: Page): Promise<unknown> {
  return await page.evaluate(
    `({
      rows: [...document.querySelectorAll('tbody tr')].map((row) => {
        const text = (cell) => row.querySelector(cell).textContent
        return [row.querySelector('a').title, text('.word'), parseInt(text('.loss')), text('.tries')].join(' ')
      }).sort(),
      totals: ['live', 'done'].map((word) => [...document.querySelectorAll('.totals li')]
        .find((total) => total.textContent.trim().endsWith(word)).querySelector('strong').textContent),
    })`,
  )
}

/** The same of what the API says. */
async function toldBy(url: string): Promise<unknown> {
  const { calls, counts } = await readFloor(url)
  const rows = (calls as unknown as FloorCall[]).map(
    ({ call_id, status, lost_packets, attempts }) =>
      `${call_id} ${words[status] ?? status} ${lost_packets} ${attempts || '–'}`,
  )
  const totals = [counts.IN_PROGRESS, counts.ARCHIVED].map(String)
  return { rows: rows.toSorted(), totals }
}

async function agrees(page: Page, url: string): Promise<void> {
  let difference = ''
  await until('the page shows what the API says', async () => {
    const [shown, told] = [await shownBy(page), await toldBy(url)]
    difference = JSON.stringify({ shown, told })
    return JSON.stringify(shown) === JSON.stringify(told)
  }).catch((error: unknown) => {
    throw new Error(difference, { cause: error })
  })
}

/** Nothing came twice, and nothing after something newer. */
function assertAscending(positions: readonly number[]): void {
  assert.deepEqual(
    positions,
    [...new Set(positions)].toSorted((one, other) => one - other),
  )
}

/** Keeps a page from doing anything at all, until the function that is returned is called. */
async function hold(page: Page): Promise<() => Promise<void>> {
  const held = Promise.withResolvers<void>()
  const end = Promise.withResolvers<void>()
  await page.route('**/held', async (route) => {
    held.resolve()
    await end.promise
    await route.fulfill({ body: '' })
  })
  const done = page.evaluate(`{
    const request = new XMLHttpRequest()
    request.open('GET', '/held', false)
    request.send()
  }`)
  await held.promise
  return async () => {
    end.resolve()
    await done
  }
}

const isOffline = (page: Page) => page.getByText(/^not connected since .*trying again$/).waitFor()

suite('a desk that is behind', () => {
  test('gets the newest state of each call when it cannot keep up, says so, and is right again', async () => {
    const { gateway, database } = await sharedGateway()
    const { url } = gateway
    const [calls, rounds, text] = [20, 20, 'x'.repeat(150_000)]
    const ids = callIds('busy', calls)
    await storeCalls(database.pool, ids)
    await using fast = await openStream(url)
    const { page, problems } = await openFloor(url)
    await agrees(page, url)

    const release = await hold(page)
    for (let round = 1; round <= rounds; round += 1) {
      await database.pool.query(
        `SELECT note_media_event(id, jsonb_build_object('event', 'note', 'text', $1::text))
         FROM calls WHERE call_id = ANY ($2) ORDER BY id`,
        [text, ids],
      )
      await database.pool.query('NOTIFY gateway_feed')
      const id = ids[round % calls] ?? ''
      if (round <= calls / 2) await completeCall(url, id)
      else if (round <= calls) await sendPacket(url, id, round)
      await until(`round ${round}`, () => fast.named('call_event').length === round * calls)
    }
    await sendPacket(url, 'came-meanwhile', 1)
    const ticks = fast.named('tick').length
    await until('it was slow for more than a second', () => fast.named('tick').length > ticks + 2)
    await release()

    await page.getByText(/^\d+ merged$/).waitFor()
    await agrees(page, url)
    const { positions, conflated, resync } = await heardBy(page)
    assert.ok(conflated > 0)
    assert.equal(resync, 0)
    assert.ok(positions.length < fast.events().length, `${positions.length} events, as everybody`)
    assertAscending(positions)

    await completeCall(url, 'came-meanwhile')
    await page.locator('tr', { hasText: 'came-meanwhile' }).getByText('done').waitFor()
    await agrees(page, url)
    assert.deepEqual(problems, [])
    await page.context().close()
  })

  test('begins anew after an absence that was too long to be told, without a reload', async () => {
    const { gateway, database } = await sharedGateway()
    const { url } = gateway
    const [calls, rounds] = [10, 1_100]
    const ids = callIds('long', calls)
    await storeCalls(database.pool, ids)
    await using other = await openStream(url)
    await using line = await openLine(url)
    const { page } = await openFloor(line.url)
    await agrees(page, url)

    line.cut()
    await isOffline(page)
    await database.pool.query(
      `SELECT note_media_event(id, '{"event":"note"}') FROM calls, generate_series(1, $1)`,
      [rounds],
    )
    await database.pool.query('NOTIFY gateway_feed')
    for (const id of ids.slice(5)) await completeCall(url, id)
    await sendPacket(url, 'long-new', 3)
    await other.sees('long-new', 'IN_PROGRESS')
    line.mend()

    await agrees(page, url)
    const heard = await heardBy(page)
    assert.deepEqual([heard.resync, heard.snapshot], [1, 2])
    assertAscending(heard.positions)
    await completeCall(url, 'long-new')
    await page.locator('tr', { hasText: 'long-new' }).getByText('done').waitFor()
    await agrees(page, url)
    await page.context().close()
  })

  test('begins anew when what it missed is not there any more', async () => {
    const { gateway } = await sharedGateway()
    const { url } = gateway
    const erase = (id: string) => fetch(`${url}/v1/call/${id}?force=true`, { method: 'DELETE' })
    for (const id of ['erased-1', 'erased-2']) await sendPacket(url, id, 1)
    await using line = await openLine(url)
    const { page } = await openFloor(line.url)
    await agrees(page, url)

    line.cut()
    await isOffline(page)
    const { position } = await readFloor(url)
    await sendPacket(url, 'came-and-went', 1)
    await until('it is published', async () => (await readFloor(url)).position > position)
    for (const id of ['came-and-went', 'erased-1', 'erased-2']) await erase(id)
    await sendPacket(url, 'came-later', 2)
    line.mend()

    await page.locator('a[title="came-later"]').waitFor()
    await agrees(page, url)
    const heard = await heardBy(page)
    assert.deepEqual([heard.resync, heard.snapshot], [1, 2])
    assertAscending(heard.positions)
    await page.context().close()
  })
})
