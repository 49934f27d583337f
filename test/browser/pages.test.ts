// The pages as a person sees them, in a real Chromium.
import assert from 'node:assert/strict'
import { after, suite, test } from 'node:test'
import { openBrowser, openPage, otherHost } from '../support/browser.ts'
import { completeCall, sendPacket, startGateway } from '../support/gateway.ts'
import { sharedGateway } from '../support/shared-gateway.ts'

const { gateway, database } = await sharedGateway()
const { url } = gateway
const browser = await openBrowser()
after(() => browser.close())

/** What is there when a page is drawn. */
const pages: readonly (readonly [path: string, selector: string, text: RegExp])[] = [
  ['/', '#connection[data-state="live"]', /^live$/],
  ['/docs', '.opblock-summary-path >> nth=0', /call_id/],
  ['/redoc', 'h1 >> nth=0', /^AI PBX Gateway/],
]

suite('every page', () => {
  const addresses = [url, url.replace('127.0.0.1', otherHost)]
  for (const [path, selector, text] of pages)
    for (const address of addresses)
      test(`${path} of ${new URL(address).hostname} is drawn without an error or another host`, async () => {
        const { page, problems, hosts } = await openPage(browser)
        await page.goto(address + path)
        const element = page.locator(selector)
        await element.waitFor()
        assert.match((await element.textContent()) ?? '', text)
        await page.waitForLoadState('networkidle')
        assert.deepEqual(problems, [])
        assert.deepEqual([...hosts], [new URL(address).host])
        await page.context().close()
      })

  test('of Swagger UI sends a packet', async () => {
    const { page, problems } = await openPage(browser)
    await page.goto(`${url}/docs#/packets/streamPacket`)
    const operation = page.locator('#operations-packets-streamPacket')
    await operation.locator('input[placeholder="call_id"]').fill('from-swagger')
    await operation.getByRole('button', { name: 'Execute' }).click()
    const status = operation.locator('.live-responses-table .response-col_status').last()
    await status.waitFor()
    assert.match((await status.textContent()) ?? '', /^202/)
    assert.deepEqual(problems, [])
    await page.context().close()
  })
})

suite('the page of calls', () => {
  test('says how to send the first call while there is none, and shows it when it comes', async () => {
    const { gateway: empty } = await sharedGateway()
    const { page, problems } = await openPage(browser)
    await page.goto(empty.url)
    const hint = page.locator('#empty')
    await hint.waitFor()
    assert.match((await hint.textContent()) ?? '', new RegExp(`simulate -- --url ${empty.url}`))
    assert.equal(await page.locator('table').isVisible(), false)

    await sendPacket(empty.url, 'first', 1)
    await page.getByRole('button', { name: 'first', exact: true }).waitFor()
    assert.equal(await hint.isVisible(), false)
    assert.deepEqual(problems, [])
    await page.context().close()
  })

  test('follows a call from its first packet to its transcript, without a reload', async () => {
    const { page, problems } = await openPage(browser)
    await page.goto(url)
    for (const sequence of [1, 2, 5]) await sendPacket(url, 'followed', sequence, 'wonderful')
    const row = page.locator('tbody', { has: page.getByRole('button', { name: 'followed' }) })
    await row.locator('.word', { hasText: /^live$/ }).waitFor()
    await row.locator('.packets', { hasText: /^3$/ }).waitFor()
    await row.locator('.lost', { hasText: /^2 · 40.0 %$/ }).waitFor()

    await completeCall(url, 'followed')
    await row.locator('.word', { hasText: /^done$/ }).waitFor()
    await row.locator('.mood', { hasText: /^positive$/ }).waitFor()
    await row.locator('.known', { hasText: 'wonderful wonderful wonderful' }).waitFor()
    assert.equal(await row.locator('.transcript').isVisible(), false)

    await row.getByRole('button').press('Enter')
    await row.locator('.transcript', { hasText: 'wonderful wonderful wonderful' }).waitFor()
    await row.locator('.facts', { hasText: '3, 4' }).waitFor()
    assert.equal(new URL(page.url()).hash, '#followed')
    await page.reload()
    await row.locator('.transcript').waitFor()
    await row.getByRole('button').click()
    await row.locator('.transcript').waitFor({ state: 'hidden' })
    assert.deepEqual(problems, [])
    await page.context().close()
  })

  test('shows a call that fails, with the reason', async () => {
    const { gateway: failing } = await sharedGateway({
      AI_SERVICE_FAILURE_RATE: '1',
      MAX_RETRY_ATTEMPTS: '1',
      REDRIVE_INITIAL_WAIT: '3600',
      REDRIVE_MAX_WAIT: '3600',
    })
    const { page } = await openPage(browser)
    await page.goto(failing.url)
    await sendPacket(failing.url, 'fails', 1)
    await completeCall(failing.url, 'fails')
    await page.locator('tbody .word', { hasText: /^failing$/ }).waitFor()
    await page.locator('.known', { hasText: 'mock: 503 Service Unavailable' }).waitFor()
    await page.context().close()
  })

  test('shows what a caller says as text, whatever it is', async () => {
    const markup =
      '<img src=x onerror="document.title=1"><b>bold</b><script>document.title=1</script>'
    const id = 'sip:+49~1@pbx.local'
    await sendPacket(url, id, 1, markup)
    await completeCall(url, id)
    const { page, problems } = await openPage(browser)
    await page.goto(`${url}/#${encodeURIComponent(id)}`)
    const row = page.locator('tbody', { has: page.getByRole('button', { name: id, exact: true }) })
    await row.locator('.known', { hasText: markup }).waitFor()
    await row.locator('.transcript dd', { hasText: markup }).waitFor()
    assert.equal(await page.locator('table :is(img, b, script)').count(), 0)
    assert.match(await page.title(), /^Calls/)
    assert.deepEqual(problems, [])
    await page.context().close()
  })

  test('says that it lost the gateway, and goes on by itself when that is back', async () => {
    const { page } = await openPage(browser)
    const { port } = new URL(url)
    {
      await using before = await startGateway(database.url)
      await page.goto(before.url)
      await page.locator('#connection[data-state="live"]').waitFor()
      before.kill('SIGKILL')
      await page.locator('#connection', { hasText: /^not connected since / }).waitFor()
    }
    const again = { APP_PORT: new URL(page.url()).port }
    assert.notEqual(again.APP_PORT, port)
    await using _after = await startGateway(database.url, again)
    // Another gateway of the same database takes the call: this page hears of it all the same.
    await sendPacket(url, 'while-away', 1)
    await page.locator('#connection', { hasText: /^live$/ }).waitFor()
    await page.getByRole('button', { name: 'while-away' }).waitFor()
    await completeCall(url, 'while-away')
    const row = page.locator('tbody', { has: page.getByRole('button', { name: 'while-away' }) })
    await row.locator('.word', { hasText: /^done$/ }).waitFor()
    await page.context().close()
  })
})

test('without Chromium the way to it is named', async () => {
  await assert.rejects(openBrowser('/nowhere/chromium'), /apt-get install chromium.*CHROMIUM_PATH/)
})
