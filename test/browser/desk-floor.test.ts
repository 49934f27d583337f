// The floor as a supervisor sees it, in a real Chromium.
import assert from 'node:assert/strict'
import { after, suite, test } from 'node:test'
import type { Page } from 'playwright-core'
import { noteMediaEvent } from '../../src/calls/media-streams.ts'
import { openBrowser, openPage } from '../support/browser.ts'
import { completeCall, sendPacket } from '../support/gateway.ts'
import { injections } from '../support/hostile-texts.ts'
import { beginStream } from '../support/media.ts'
import { sharedGateway } from '../support/shared-gateway.ts'

const { gateway, database } = await sharedGateway()
const { url } = gateway
const browser = await openBrowser()
after(() => browser.close())

const rowOf = (page: Page, id: string) =>
  page.locator('tbody tr', { has: page.getByRole('link', { name: id, exact: true }) })

async function openFloor(hash = '#/', at = url) {
  const opened = await openPage(browser)
  await opened.page.goto(`${at}/${hash}`)
  await opened.page.locator('.connection[data-state="live"]').waitFor()
  return opened
}

suite('the floor', () => {
  test('says how to send the first call while there is none, plays one, and shows it', async () => {
    const { gateway: empty } = await sharedGateway()
    const { page, problems } = await openFloor('', empty.url)
    const hint = page.getByRole('heading', { name: 'No calls yet' })
    await hint.waitFor()
    await page.getByText(`npm run simulate -- --url ${empty.url}`).waitFor()
    await page.getByRole('button', { name: 'Play a demo call' }).click()
    await page
      .locator('tbody .word', { hasText: /^live$/ })
      .first()
      .waitFor()
    assert.equal(await hint.isVisible(), false)
    assert.deepEqual(problems, [])
    await page.context().close()
  })

  test('follows a call from its first packet to its end, and counts along', async () => {
    const { page, problems } = await openFloor()
    const live = page.locator('.totals li', { hasText: 'live' }).locator('strong')
    const before = Number(await live.textContent())
    for (const sequence of [1, 2, 5]) await sendPacket(url, 'followed', sequence, 'wonderful')
    const row = rowOf(page, 'followed')
    await row.locator('.word', { hasText: /^live$/ }).waitFor()
    await live.filter({ hasText: new RegExp(`^${before + 1}$`) }).waitFor()
    await row.locator('.loss', { hasText: /^2 40 %/ }).waitFor()

    await completeCall(url, 'followed')
    await row.locator('.word', { hasText: /^done$/ }).waitFor()
    await row.locator('td.mood', { hasText: 'good' }).waitFor()
    await row.locator('.said', { hasText: 'wonderful' }).waitFor()
    await live.filter({ hasText: new RegExp(`^${before}$`) }).waitFor()
    assert.deepEqual(problems, [])
    await page.context().close()
  })

  test('keeps live calls in their places, whatever changes', async () => {
    for (const id of ['place-1', 'place-2', 'place-3']) await sendPacket(url, id, 1)
    const { page } = await openFloor('#/?search=place-')
    const names = () => page.locator('tbody .call').allTextContents()
    await rowOf(page, 'place-3').waitFor()
    const order = ['place-3', 'place-2', 'place-1']
    assert.deepEqual(await names(), order)
    await sendPacket(url, 'place-1', 5)
    await rowOf(page, 'place-1').locator('.loss', { hasText: /^3/ }).waitFor()
    assert.deepEqual(await names(), order)
    await page.context().close()
  })

  test('is led by the keyboard: search, rows, open, back to the same place', async () => {
    for (const id of ['key-1', 'key-2', 'key-3']) await sendPacket(url, id, 1)
    const { page, problems } = await openFloor()
    await rowOf(page, 'key-3').waitFor()
    await page.keyboard.press('/')
    await page.keyboard.type('key-')
    await page.locator('tbody tr').nth(2).waitFor()
    await page.locator('.shown', { hasText: /^3 shown$/ }).waitFor()
    await page.keyboard.press('Enter')
    await page.keyboard.press('j')
    await page.keyboard.press('j')
    assert.equal(await page.locator('tbody tr.selected .call').textContent(), 'key-2')
    await page.keyboard.press('Enter')
    await page.getByRole('article', { name: 'Call key-2' }).waitFor()
    assert.equal(new URL(page.url()).hash, '#/call/key-2')
    await page.keyboard.press('Escape')
    await page.locator('tbody tr.selected', { hasText: 'key-2' }).waitFor()
    assert.equal(new URL(page.url()).hash, '#/?search=key-')
    await page.keyboard.press('?')
    await page.getByRole('dialog', { name: 'Keys and shapes' }).waitFor()
    await page.keyboard.press('Escape')
    await page.getByRole('dialog').waitFor({ state: 'hidden' })
    assert.deepEqual(problems, [])
    await page.context().close()
  })

  test('has a link for each filter, which shows the same after a reload', async () => {
    await sendPacket(url, 'still-live', 1)
    const { page } = await openFloor()
    await page.getByRole('button', { name: 'done', exact: true }).click()
    await rowOf(page, 'still-live').waitFor({ state: 'hidden' })
    assert.equal(new URL(page.url()).hash, '#/?state=done')
    await page.reload()
    await page.locator('button[aria-pressed="true"]', { hasText: 'done' }).waitFor()
    assert.equal(await rowOf(page, 'still-live').count(), 0)
    await page.context().close()
  })

  test('draws only the rows in sight of a thousand calls', async () => {
    const { gateway: large } = await sharedGateway()
    for (let first = 0; first < 1_000; first += 50)
      await Promise.all(
        Array.from({ length: 50 }, (_, index) =>
          sendPacket(large.url, `many-${String(first + index).padStart(4, '0')}`, 1),
        ),
      )
    const { page, problems } = await openFloor('', large.url)
    await page.locator('.shown', { hasText: /^1,000 shown$/ }).waitFor()
    assert.ok((await page.locator('tbody tr').count()) < 60)
    assert.equal(await page.locator('table').getAttribute('aria-rowcount'), '1001')
    await page.keyboard.press('j')
    await page.keyboard.press('End')
    await page.locator('tbody tr.selected[aria-rowindex="1001"]').waitFor()
    assert.deepEqual(problems, [])
    await page.context().close()
  })

  test('shows a call that fails in words: why, and when it is tried again', async () => {
    const { gateway: failing } = await sharedGateway({
      AI_SERVICE_FAILURE_RATE: '1',
      MAX_RETRY_ATTEMPTS: '1',
      REDRIVE_INITIAL_WAIT: '3600',
      REDRIVE_MAX_WAIT: '3600',
    })
    const { page } = await openFloor('', failing.url)
    await sendPacket(failing.url, 'fails', 1)
    await completeCall(failing.url, 'fails')
    const row = rowOf(page, 'fails')
    await row.locator('.word', { hasText: /^failing$/ }).waitFor()
    await row.locator('.said', { hasText: /^retry in .*failed 1×: mock: 503/ }).waitFor()
    await page.goto(`${failing.url}/#/providers`)
    await page.getByRole('region', { name: 'mock' }).getByText('503').first().waitFor()
    await page.context().close()
  })

  test('shows what strangers say as text, whatever it is', async () => {
    const markup =
      '<img src=x onerror="document.title=1"><b>bold</b><script>document.title=1</script>'
    await sendPacket(url, 'hostile', 1, markup)
    const { call } = await beginStream(database.pool, 'hostile', {
      metadata: Object.fromEntries([
        ['from', markup],
        ['<b>', injections.join(' ')],
      ]),
    })
    for (const digit of [markup, ...injections])
      await noteMediaEvent(database.pool, call, JSON.stringify({ event: 'dtmf', digit }))
    await completeCall(url, 'hostile')
    const { page, problems } = await openFloor()
    await rowOf(page, 'hostile').locator('.said', { hasText: markup }).waitFor()
    await page.goto(`${url}/#/call/hostile`)
    await page.locator('.lines', { hasText: markup }).waitFor()
    await page.locator('.events', { hasText: `The key ${markup}` }).waitFor()
    assert.equal(await page.locator('#content :is(img, b, script)').count(), 0)
    assert.match(await page.title(), /^hostile/)
    assert.deepEqual(problems, [])
    await page.context().close()
  })
})
