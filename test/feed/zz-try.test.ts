import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { connectFeed } from '../support/feed-client.ts'
import { sharedGateway } from '../support/shared-gateway.ts'

const { gateway } = await sharedGateway()
const rss = () => /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${gateway.pid}/status`, 'utf8'))?.[1]
test('pings', async (t) => {
  await using live = await connectFeed(gateway.url)
  t.diagnostic(`${rss()} kB`)
  live.socket.pause()
  const data = Buffer.alloc(125)
  for (let i = 0; i < 400_000; i += 1) {
    live.socket.ping(data)
    if (i % 2000 === 0) {
      while (live.socket.bufferedAmount > 1e6 && live.socket.readyState === 1) await pause(1)
      if (live.socket.readyState !== 1) break
    }
    if (i % 50_000 === 0) t.diagnostic(`${i} ${rss()} kB`)
  }
  await pause(1000)
  t.diagnostic(`${rss()} kB ${live.socket.readyState}`)
})
