// The desk when something breaks: its gateway dies, an AI service is out of order, gateways are many.
import assert from 'node:assert/strict'
import { after, suite, test } from 'node:test'
import type { Page } from 'playwright-core'
import { openBrowser, openPage } from '../support/browser.ts'
import { createDatabase } from '../support/database.ts'
import { completeCall, sendPacket, startGateway } from '../support/gateway.ts'
import { muLaw, packetsOf, startStream, storePackets } from '../support/recorded-call.ts'
import { until } from '../support/until.ts'

const browser = await openBrowser()
after(() => browser.close())

type Shown = Readonly<Record<string, string>>

/** The word of every call on the floor. */
async function shownBy(page: Page): Promise<Shown> {
  return await page.evaluate<Shown>(
    `Object.fromEntries([...document.querySelectorAll('tbody tr')].map((row) =>
       [row.querySelector('a').title, row.querySelector('.word').textContent]))`,
  )
}

const words: Readonly<Record<string, string>> = { IN_PROGRESS: 'live', ARCHIVED: 'done' }

/** What the API says of every call, in the words of the floor. */
async function toldBy(url: string): Promise<Shown> {
  const { calls } = (await (await fetch(`${url}/v1/floor`)).json()) as {
    calls: { call_id: string; status: string }[]
  }
  return Object.fromEntries(
    calls.map(({ call_id, status }) => [call_id, words[status] ?? status]).sort(),
  )
}

const sorted = (shown: Shown) => Object.fromEntries(Object.entries(shown).sort())

async function agrees(page: Page, url: string): Promise<void> {
  let difference: unknown
  await until('the page shows what the API says', async () => {
    const [shown, told] = [sorted(await shownBy(page)), await toldBy(url)]
    difference = { shown, told }
    return JSON.stringify(shown) === JSON.stringify(told)
  }).catch((error) => {
    throw new Error(`${error}: ${JSON.stringify(difference)}`)
  })
  const total = await page
    .locator('.totals li', { hasText: 'live' })
    .locator('strong')
    .textContent()
  const live = Object.values(await toldBy(url)).filter((word) => word === 'live').length
  assert.equal(Number(total), live)
}

suite('the desk', () => {
  test('says that it lost its gateway, and misses and doubles nothing when that is back', async () => {
    await using database = await createDatabase()
    await using other = await startGateway(database.url)
    const { page } = await openPage(browser)
    let loads = 0
    page.on('domcontentloaded', () => {
      loads += 1
    })
    {
      await using dying = await startGateway(database.url)
      for (const id of ['before-1', 'before-2']) await sendPacket(dying.url, id, 1)
      await page.goto(dying.url)
      await page.locator('.connection[data-state="live"]').waitFor()
      await agrees(page, other.url)
      dying.kill('SIGKILL')
      await page.getByText(/^not connected since .*trying again$/).waitFor()
    }
    await sendPacket(other.url, 'while-away', 1)
    await completeCall(other.url, 'before-1')
    const again = { APP_PORT: new URL(page.url()).port }
    await using back = await startGateway(database.url, again)
    await page.locator('.connection[data-state="live"]').waitFor()
    await agrees(page, other.url)
    await sendPacket(back.url, 'afterwards', 1)
    await completeCall(back.url, 'before-2')
    await page.locator('a[title="afterwards"]').waitFor()
    await agrees(page, other.url)
    assert.equal(loads, 1)
    await page.context().close()
  })

  test('shows the same on two pages of two gateways', async () => {
    await using database = await createDatabase()
    await using one = await startGateway(database.url)
    await using other = await startGateway(database.url)
    const pages = await Promise.all(
      [one, other].map(async ({ url }) => {
        const opened = await openPage(browser)
        await opened.page.goto(url)
        await opened.page.locator('.connection[data-state="live"]').waitFor()
        return opened
      }),
    )
    await Promise.all(
      Array.from({ length: 12 }, async (_, index) => {
        const { url } = index % 2 === 0 ? one : other
        await sendPacket(url, `shared-${index}`, 1)
        if (index % 3 === 0) await completeCall(url, `shared-${index}`)
      }),
    )
    for (const { page, problems } of pages) {
      await agrees(page, one.url)
      assert.deepEqual(problems, [])
    }
    const [first, second] = await Promise.all(pages.map(({ page }) => shownBy(page)))
    assert.deepEqual(first, second)
    await pages[0]?.page.goto(`${one.url}/#/system`)
    await pages[0]?.page.getByText('2 gateways').waitFor()
    for (const { page } of pages) await page.context().close()
  })

  test('tells of an outage of an AI service in words, and of the calls that wait for it', async () => {
    await using database = await createDatabase()
    await using gateway = await startGateway(database.url, {
      AI_PROVIDERS: 'whisper',
      WHISPER_BASE_URL: 'http://127.0.0.1:9/v1',
    })
    const { page, problems } = await openPage(browser)
    await page.goto(`${gateway.url}/#/providers`)
    const provider = page.getByRole('region', { name: 'whisper' })
    await provider.getByText('not asked').waitFor()
    for (let index = 0; index < 8; index += 1) {
      const id = `waits-${index}`
      await startStream(database.pool, id, ['inbound'], muLaw)
      await storePackets(database.pool, packetsOf(id, 'inbound', new Uint8Array(8_000)))
      await completeCall(gateway.url, id)
    }
    await provider.getByText('out of order').waitFor()
    await provider.getByText(/^Failing since /).waitFor()
    await provider.getByText('Next probe').waitFor()
    await provider.getByText(/^\d calls$/).waitFor()
    assert.deepEqual(problems, [])
    await page.context().close()
  })
})
