// That everybody can use the desk: every view, light and dark, on a telephone and on a desk.
import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { accessibilityProblems, openBrowser, openPage } from '../support/browser.ts'
import { sendPacket } from '../support/gateway.ts'
import { playCalls } from '../support/played-calls.ts'
import { sharedGateway } from '../support/shared-gateway.ts'

const { gateway } = await sharedGateway()
const { url } = gateway
const browser = await openBrowser()
after(() => browser.close())
let call = ''
before(async () => {
  ;[call = ''] = await playCalls(url, 1)
  await sendPacket(url, `a-live-call-${'with-a-long-id-'.repeat(5)}`, 1)
})

const views: readonly (readonly [name: string, hash: () => string, ready: string])[] = [
  ['floor', () => '#/', 'tbody tr'],
  ['floor without a match', () => '#/?search=nothing', '.nothing'],
  ['call', () => `#/call/${call}`, '.lines .line'],
  ['unknown call', () => '#/call/never-was', '.empty'],
  ['providers', () => '#/providers', '.provider'],
  ['system', () => '#/system', '.plot canvas'],
]
const sizes = { telephone: { width: 360, height: 740 }, desk: { width: 1440, height: 900 } }

suite('every view is for everybody', () => {
  for (const colorScheme of ['light', 'dark'] as const)
    for (const [size, viewport] of Object.entries(sizes))
      test(`${colorScheme}, on a ${size}`, async () => {
        const { page } = await openPage(browser, { colorScheme, viewport })
        for (const [name, hash, ready] of views) {
          await page.goto(`${url}/${hash()}`)
          await page.locator(ready).first().waitFor()
          assert.deepEqual(await accessibilityProblems(page), [], name)
          const overflow = await page.evaluate<number>(
            'document.documentElement.scrollWidth - innerWidth',
          )
          assert.equal(overflow, 0, `${name} is wider than the screen`)
        }
        await page.goto(`${url}/#/call/${call}`)
        await page.getByRole('button', { name: 'Delete' }).click()
        await page.getByRole('dialog').waitFor()
        assert.deepEqual(await accessibilityProblems(page), [], 'dialog')
        await page.context().close()
      })

  test('a person who asks for no motion gets none', async () => {
    const { page } = await openPage(browser, { reducedMotion: 'reduce' })
    await page.goto(url)
    await page.locator('tbody tr').first().waitFor()
    await sendPacket(url, 'comes-quietly', 1)
    await page.locator('tbody tr.new').waitFor()
    assert.equal(await page.evaluate('document.getAnimations().length'), 0)
    await page.context().close()
  })

  test('the switch makes it dark where the system is light, also after a reload', async () => {
    const { page } = await openPage(browser, { colorScheme: 'light' })
    await page.goto(url)
    const ground = () =>
      page.evaluate<string>('getComputedStyle(document.documentElement).backgroundColor')
    const light = await ground()
    await page.getByRole('button', { name: /^Colours: system/ }).click()
    await page.getByRole('button', { name: /^Colours: light/ }).click()
    await page.getByRole('button', { name: /^Colours: dark/ }).waitFor()
    assert.notEqual(await ground(), light)
    await page.reload()
    await page.getByRole('button', { name: /^Colours: dark/ }).waitFor()
    assert.notEqual(await ground(), light)
    await page.context().close()
  })

  test('a printed call is light, without buttons and frame', async () => {
    const { page } = await openPage(browser, { colorScheme: 'dark' })
    await page.goto(`${url}/#/call/${call}`)
    await page.locator('.lines .line').first().waitFor()
    await page.emulateMedia({ media: 'print' })
    for (const selector of ['.bar', '.transport', '.buttons'])
      assert.equal(await page.locator(selector).first().isVisible(), false, selector)
    assert.equal(await page.locator('.lines').isVisible(), true)
    await page.context().close()
  })
})
