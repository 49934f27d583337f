import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { completeCall, getCall, post, sendPacket } from '../support/gateway.ts'
import { sharedGateway } from '../support/shared-gateway.ts'
import { until } from '../support/until.ts'

const { gateway } = await sharedGateway()
const { url } = gateway

const swap = (callId: string, body?: unknown) => post(`${url}/v1/call/${callId}/swap`, body)

suite('a swap of the roles', () => {
  test('answers with the call, and changes nothing else of it', async () => {
    await sendPacket(url, 'swapped', 1)
    const { body: before } = await getCall(url, 'swapped')
    assert.equal(before.tracks_swapped, false)
    const { status, body } = await swap('swapped')
    assert.equal(status, 200)
    const { updated_at, ...rest } = body
    assert.deepEqual(
      { ...rest, updated_at: before.updated_at },
      { ...before, tracks_swapped: true },
    )
    assert.ok(String(updated_at) >= String(before.updated_at))
    assert.deepEqual((await getCall(url, 'swapped')).body, body)
  })

  test('without a wish exchanges them, with one sets them, however often', async () => {
    await sendPacket(url, 'wishes', 1)
    const wishes = [
      [undefined, true],
      [{}, false],
      [{ swapped: true }, true],
      [{ swapped: true }, true],
      ['null', false],
      [{ swapped: false }, false],
    ] as const
    for (const [wish, swapped] of wishes)
      assert.equal((await swap('wishes', wish)).body.tracks_swapped, swapped, JSON.stringify(wish))
  })

  test('of a call that is analysed exchanges the speakers, everywhere, and back', async () => {
    const text = 'Customer: I am furious. \nAgent: How wonderful, thank you.'
    await sendPacket(url, 'analysed', 1, text)
    await completeCall(url, 'analysed')
    const analysed = await until('the result', async () => {
      const { body } = await getCall(url, 'analysed')
      return body.status === 'ARCHIVED' && body
    })
    assert.equal(analysed.transcription, text)
    const { body } = await swap('analysed')
    const exchanged = 'Agent: I am furious. \nCustomer: How wonderful, thank you.'
    assert.deepEqual(
      [body.transcription, body.sentiment, body.summary],
      [exchanged, analysed.sentiment, null],
    )
    const history = await fetch(`${url}/v1/call/history`)
    const { calls } = (await history.json()) as { calls: Record<string, unknown>[] }
    const listed = calls.find(({ call_id }) => call_id === 'analysed')
    assert.deepEqual([listed?.transcription, listed?.sentiment], [exchanged, analysed.sentiment])
    const { body: back } = await swap('analysed')
    assert.deepEqual({ ...back, updated_at: analysed.updated_at }, analysed)
  })

  test('made before the analysis counts as well', async () => {
    await sendPacket(url, 'early', 1, 'Customer: Hello.')
    await swap('early')
    await completeCall(url, 'early')
    const { transcription } = await until('the result', async () => {
      const { body } = await getCall(url, 'early')
      return body.status === 'ARCHIVED' && body
    })
    assert.equal(transcription, 'Agent: Hello.')
  })

  test('by many at once is one after the other', async () => {
    await sendPacket(url, 'many', 1)
    const answers = await Promise.all(Array.from({ length: 7 }, () => swap('many')))
    assert.ok(answers.every(({ status }) => status === 200))
    assert.equal((await getCall(url, 'many')).body.tracks_swapped, true)
  })

  test('of a call that nobody knows is a 404, and creates none', async () => {
    const expected = {
      status: 404,
      body: { detail: 'Call nobody not found', code: 'call_not_found' },
    }
    assert.deepEqual(await swap('nobody'), expected)
    assert.deepEqual(await getCall(url, 'nobody'), expected)
  })

  for (const wrong of [{ swapped: 'true' }, { swapped: 1 }, { swapped: null }, [], 'true', '{{'])
    test(`with the body ${JSON.stringify(wrong)} is refused`, async () => {
      await sendPacket(url, 'refused', 1)
      assert.equal((await swap('refused', wrong)).status, 422)
      assert.equal((await getCall(url, 'refused')).body.tracks_swapped, false)
    })
})
