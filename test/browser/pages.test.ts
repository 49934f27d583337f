// The pages as a person sees them, in a real Chromium.
import assert from 'node:assert/strict'
import { after, suite, test } from 'node:test'
import { openBrowser, openPage, otherHost } from '../support/browser.ts'
import { sharedGateway } from '../support/shared-gateway.ts'

const { gateway } = await sharedGateway()
const { url } = gateway
const browser = await openBrowser()
after(() => browser.close())

/** What is there when a page is drawn. */
const pages: readonly (readonly [path: string, selector: string, text: RegExp])[] = [
  ['/', '.connection[data-state="live"] [role=status]', /^(live|catching up)$/],
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
        // The desk keeps a stream open, so its page is never without requests.
        if (path !== '/') await page.waitForLoadState('networkidle')
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

test('without Chromium the way to it is named', async () => {
  await assert.rejects(openBrowser('/nowhere/chromium'), /apt-get install chromium.*CHROMIUM_PATH/)
})
