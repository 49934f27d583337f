// Fault 7: one dead or stalled supervisor socket failed or blocked the calls of everybody.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { WebSocket } from 'ws'
import { untilArchived } from '../support/archived.ts'
import { createDatabase } from '../support/database.ts'
import { startFleet } from '../support/fleet.ts'
import { assertInvariants } from '../support/invariants.ts'
import { createSender } from '../support/sender.ts'
import { until } from '../support/until.ts'

test('7.7 supervisors that stall or vanish disturb no call and no other supervisor', async (t) => {
  // Together the transcripts are more than what socket buffers hold for one who does not read them.
  const [calls, stalled, words] = [450, 3, '語'.repeat(9_900)]
  await using database = await createDatabase()
  await using gateways = await startFleet(database.url, 1)
  using pbx = createSender(gateways.urls)
  const { url, log } = gateways.at(0)

  async function supervise(): Promise<WebSocket> {
    const socket = new WebSocket(`${url.replace('http', 'ws')}/ws/supervisor`)
    t.after(() => socket.terminate())
    await once(socket, 'open')
    return socket
  }

  const watching = await supervise()
  const positions: number[] = []
  const archived = new Set<string>()
  watching.on('message', (data) => {
    const event = JSON.parse(String(data)) as Record<string, unknown>
    if (event.type === 'connected') return
    positions.push(Number(event.position))
    if (event.status === 'ARCHIVED') archived.add(String(event.call_id))
  })
  for (let number = 0; number < stalled; number += 1) (await supervise()).pause()
  const dying = await supervise()

  await Promise.all(
    Array.from({ length: calls }, async (_, number) => {
      const callId = `call-${number}`
      const { status } = await pbx.send(url, { callId, sequence: 1, data: words })
      assert.equal(status, 202)
      if (number === 10) dying.terminate()
      const completed = await pbx.complete(url, callId)
      assert.equal(completed?.status, 200)
    }),
  )
  await untilArchived(database, calls)
  await until('the supervisor who reads has seen every call to its end', () => {
    return archived.size === calls
  })
  assert.deepEqual(
    positions,
    positions.map((_, index) => index + 1),
  )
  await until('those who do not read are cut off', () => {
    return log.filter(({ msg }) => msg?.includes('reads too slowly')).length === stalled
  })
  await assertInvariants(database.pool, pbx.history)
})
