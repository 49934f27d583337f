// The page of calls beside calls whose audio comes from a PBX.
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { noteMediaEvent } from '../../src/calls/media-streams.ts'
import { openBrowser, openPage } from '../support/browser.ts'
import { completeCall, post, sendPacket } from '../support/gateway.ts'
import { beginStream } from '../support/media.ts'
import { sharedGateway } from '../support/shared-gateway.ts'

const { gateway, database } = await sharedGateway()
const { url } = gateway
const browser = await openBrowser()
after(() => browser.close())

test('the page bears media events, shows their calls, and follows a swap of the roles', async () => {
  await sendPacket(url, 'talk', 1, 'Customer: I am furious.')
  await completeCall(url, 'talk')
  const { page, problems } = await openPage(browser)
  await page.goto(`${url}/#talk`)
  await page.locator('#connection[data-state="live"]').waitFor()
  const speaker = page.locator('.transcript dt').first()
  await page.getByText('Customer', { exact: true }).waitFor()
  assert.equal(await speaker.textContent(), 'Customer')

  const { call } = await beginStream(database.pool, 'from-a-pbx')
  for (const event of ['dtmf', 'paused', 'resumed', 'an event of tomorrow'])
    await noteMediaEvent(database.pool, call, JSON.stringify({ event }))
  await page.getByText('from-a-pbx').waitFor()
  await post(`${url}/v1/call/talk/swap`)
  await page.getByText('Agent', { exact: true }).waitFor()
  assert.equal(await speaker.textContent(), 'Agent')
  assert.deepEqual(problems, [])
  await page.context().close()
})
