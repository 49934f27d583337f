// One call as a supervisor sees, hears and handles it, in a real Chromium.
import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import type { Page } from 'playwright-core'
import { percent } from '../../web/src/format.ts'
import { openBrowser, openPage } from '../support/browser.ts'
import { sendPacket } from '../support/gateway.ts'
import { playCalls } from '../support/played-calls.ts'
import { sharedGateway } from '../support/shared-gateway.ts'
import { until } from '../support/until.ts'

const { gateway } = await sharedGateway()
const { url } = gateway
const browser = await openBrowser()
after(() => browser.close())
let played: readonly string[] = []
before(async () => {
  played = await playCalls(url, 3)
})

async function openCall(id: string) {
  const opened = await openPage(browser)
  await opened.page.goto(`${url}/#/call/${id}`)
  await opened.page.getByRole('article', { name: `Call ${id}` }).waitFor()
  return opened
}

/** Presses a button of a supervisor, and says yes to the question. */
async function act(page: Page, name: string): Promise<void> {
  await page.getByRole('button', { name, exact: true }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByRole('button', { name, exact: true }).click()
}

const position = async (page: Page) =>
  Number(await page.getByRole('slider', { name: 'Position in the recording' }).inputValue())

suite('a call', () => {
  test('shows who said what and when, a lane for each voice, and what was lost', async () => {
    const [id = ''] = played
    const { page, problems } = await openCall(id)
    await page.locator('.lines .by-customer').first().waitFor()
    await page.locator('.lines .by-agent').first().waitFor()
    await page.locator('.lane svg path').nth(1).waitFor({ state: 'attached' })
    await page.locator('.gap.lost').first().waitFor()
    const quality = await (await fetch(`${url}/v1/call/${id}/quality`)).json()
    const { tracks } = quality as { tracks: { missing_count: number; gaps: unknown[] }[] }
    const missing = tracks.reduce((sum, track) => sum + track.missing_count, 0)
    await page.getByText(`${missing} packets missing`).waitFor()
    const gaps = tracks.reduce((sum, track) => sum + track.gaps.length, 0)
    assert.equal(await page.locator('.lane-audio .gap').count(), gaps)
    await page.locator('.events', { hasText: 'The call is archived.' }).waitFor()
    await page.locator('.summary', { hasText: /\w/ }).waitFor()
    assert.deepEqual(problems, [])
    await page.context().close()
  })

  test('tells how the mood went and who spoke for how long, in words beside each figure', async () => {
    const [id = ''] = played
    const { page, problems } = await openCall(id)
    const transcript = await (await fetch(`${url}/v1/call/${id}/transcript`)).json()
    const { mood, talk } = transcript as {
      mood: { over_time: unknown[] }
      talk: { customer: number; agent: number; silence: number; length: number }
    }
    const plot = page.getByRole('img', {
      name: /^Mood of the customer over time: (good|neutral|bad) /,
    })
    await plot.waitFor()
    assert.equal(await plot.locator('rect').count(), mood.over_time.length)
    const share = (seconds: number) => percent(seconds / talk.length)
    const [customer, agent, silence] = [talk.customer, talk.agent, talk.silence].map(share)
    const words = await page.locator('.talk-words').textContent()
    assert.match(words ?? '', /^Spoke: customer .*, agent .*, nobody .*$/)
    for (const each of [customer, agent, silence])
      assert.ok(words?.includes(`(${each})`), words ?? '')

    await page.goto(`${url}/#/?search=${id}`)
    const cell = page.locator('td.talk')
    await cell.waitFor()
    const told = `customer ${customer}, agent ${agent}, silence ${silence}`
    assert.equal(await cell.textContent(), told)
    assert.equal(await page.locator('td.mood rect').count(), mood.over_time.length)
    assert.equal(await page.locator('td.tries').textContent(), '1')
    assert.deepEqual(problems, [])
    await page.context().close()
  })

  test('is played by the space bar; the playhead moves, and the line that is spoken is marked', async () => {
    const { page, problems } = await openCall(played[0] ?? '')
    await page.locator('.lines .line').first().waitFor()
    await page.getByRole('button', { name: 'Play', exact: true }).waitFor()
    await page.keyboard.press(' ')
    await page.getByRole('button', { name: 'Pause', exact: true }).waitFor()
    const first = await until('the playhead moves', async () => {
      const now = await position(page)
      return now > 0 && now
    })
    await until('it goes on', async () => (await position(page)) > first)
    await page.locator('.lines li[aria-current="true"]').waitFor()
    await page.keyboard.press(' ')
    await page.getByRole('button', { name: 'Play', exact: true }).waitFor()
    assert.deepEqual(problems, [])
    await page.context().close()
  })

  test('is played from the line that is clicked, and from the place in the waveform', async () => {
    const { page, problems } = await openCall(played[0] ?? '')
    const line = page.locator('.lines button.line').last()
    const [minutes = 0, seconds = 0] = ((await line.locator('.at').textContent()) ?? '')
      .split(':')
      .map(Number)
    await line.click()
    await until('it plays there', async () => (await position(page)) >= 60 * minutes + seconds)
    const area = await page.locator('.playhead-area').boundingBox()
    assert.ok(area !== null)
    await page.mouse.click(area.x + area.width * 0.1, area.y + area.height / 2)
    await until('it went back', async () => (await position(page)) < 60 * minutes + seconds)
    assert.deepEqual(problems, [])
    await page.context().close()
  })

  test('is searched, and each match is marked', async () => {
    const { page } = await openCall(played[0] ?? '')
    const words = (await page.locator('.lines .words').allTextContents()).join(' ')
    const word = words.split(/\W+/).find((each) => each.length > 4) ?? ''
    await page.getByRole('searchbox', { name: 'Find in the conversation' }).fill(word)
    const found = page.locator('.lines mark').first()
    await found.waitFor()
    assert.equal((await found.textContent())?.toLowerCase(), word.toLowerCase())
    await page.context().close()
  })

  test('has its speakers exchanged, here and in another page', async () => {
    const [, id = ''] = played
    const { page, problems } = await openCall(id)
    const other = await openCall(id)
    const first = (each: Page) => each.locator('.lines li').first()
    const before = await first(page).getAttribute('class')
    await act(page, 'Swap speakers')
    await page.getByText('Customer and agent are exchanged.').waitFor()
    const after = before === 'by-agent' ? 'by-customer' : 'by-agent'
    for (const each of [page, other.page])
      await each.locator(`.lines li.${after}:first-child`).waitFor()
    await page.getByText('exchanged by a supervisor').waitFor()
    assert.deepEqual([...problems, ...other.problems], [])
    await page.context().close()
    await other.page.context().close()
  })

  test('is completed when a supervisor says so, and not before', async () => {
    await sendPacket(url, 'to-complete', 1, 'thank you')
    const { page, problems } = await openCall('to-complete')
    await page.getByText('no audio that can be played').waitFor()
    await page.getByRole('button', { name: 'Complete', exact: true }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click()
    await page.getByRole('dialog').waitFor({ state: 'hidden' })
    assert.equal(await page.locator('.state-now code').textContent(), 'IN_PROGRESS')
    await act(page, 'Complete')
    await page.locator('.state-now code', { hasText: 'ARCHIVED' }).waitFor()
    await page.locator('.lines', { hasText: 'thank you' }).waitFor()
    assert.deepEqual(problems, [])
    await page.context().close()
  })

  test('is erased when a supervisor says so, and is gone from every floor', async () => {
    const [, , id = ''] = played
    const { page, problems } = await openCall(id)
    const other = await openPage(browser)
    await other.page.goto(`${url}/`)
    const row = other.page.locator(`a[title="${id}"]`)
    await row.waitFor()
    await act(page, 'Delete')
    await page.locator('#calls').waitFor()
    await page.locator(`a[title="${id}"]`).waitFor({ state: 'detached' })
    await row.waitFor({ state: 'detached' })
    assert.equal((await fetch(`${url}/v1/call/${id}`)).status, 404)
    assert.deepEqual([...problems, ...other.problems], [])
    await page.context().close()
    await other.page.context().close()
  })

  test('that a supervisor cannot act on says why in words', async () => {
    await sendPacket(url, 'gone-meanwhile', 1)
    const { page } = await openCall('gone-meanwhile')
    await page.route('**/v1/call/complete/**', (route) =>
      route.fulfill({ status: 409, json: { detail: 'The call is elsewhere', code: 'x' } }),
    )
    await act(page, 'Complete')
    await page.locator('.trouble', { hasText: 'The call is elsewhere' }).waitFor()
    await page.context().close()
  })

  test('has no buttons before what is above them stands still', async () => {
    await sendPacket(url, 'slowly-read', 1)
    for (const part of ['quality', 'timeline']) {
      const { page } = await openPage(browser)
      const read = Promise.withResolvers<void>()
      await page.route(`**/v1/call/slowly-read/${part}`, async (route) => {
        await read.promise
        await route.continue()
      })
      const others = ['quality', 'timeline'].filter((other) => other !== part)
      const arrived = others.map((other) => page.waitForResponse(`**/v1/call/slowly-read/${other}`))
      await page.goto(`${url}/#/call/slowly-read`)
      await Promise.all(arrived)
      await page.getByRole('article', { name: 'Call slowly-read' }).waitFor()
      const button = page.getByRole('button', { name: 'Complete', exact: true })
      assert.equal(await button.count(), 0, part)
      read.resolve()
      await button.waitFor()
      await page.context().close()
    }
  })

  test('that does not exist is said not to', async () => {
    const { page } = await openPage(browser)
    await page.goto(`${url}/#/call/never-was`)
    await page.getByRole('heading', { name: 'There is no such call' }).waitFor()
    await page.context().close()
  })
})
