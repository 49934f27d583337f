// Work that may take so long: it ends in time, whatever it does, and nothing of it is left when it is over.
import assert from 'node:assert/strict'
import { getEventListeners } from 'node:events'
import { test } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { ProviderError } from '../../src/analysis/provider.ts'
import { within } from '../../src/analysis/within.ts'

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

const never = new Promise<never>(() => {})
const timers = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length

test('what is done in time is the result, and nothing of it is left', async () => {
  const before = timers()
  const { signal } = new AbortController()
  const ends: WeakRef<AbortSignal>[] = []
  for (let work = 0; work < 100; work += 1)
    await within(1_800, signal, async (end) => {
      end.addEventListener('abort', () => {}, { once: true })
      ends.push(new WeakRef(end))
    })
  assert.equal(await within(1_800, signal, async () => 'done'), 'done')
  await assert.rejects(
    within(1_800, signal, async () => Promise.reject(new Error('its own'))),
    /its own/,
  )
  assert.equal(timers(), before)
  assert.deepEqual(getEventListeners(signal, 'abort'), [])
  await nextTurn()
  collectGarbage()
  assert.equal(ends.filter((end) => end.deref() !== undefined).length, 0)
})

test('what takes longer is ended and may be tried again, whether it listens or not', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const { signal } = new AbortController()
  let heard: AbortSignal | undefined
  const deaf = within(30, signal, (end) => {
    heard = end
    return never
  })
  const listening = within(
    30,
    signal,
    (end) =>
      new Promise((_, reject) =>
        end.addEventListener('abort', () => reject(new Error('cut off')), { once: true }),
      ),
    'Not done',
  )
  t.mock.timers.tick(29_999)
  assert.equal(heard?.aborted, false)
  t.mock.timers.tick(1)
  await assert.rejects(deaf, new ProviderError('retryable', 'No answer within 30 s'))
  await assert.rejects(listening, new ProviderError('retryable', 'Not done within 30 s'))
  assert.equal(heard?.aborted, true)
})

test('what is given up from outside ends with that reason, before it begins or after', async () => {
  const reason = new Error('shutting down')
  const outside = new AbortController()
  const under = within(30, outside.signal, () => never)
  outside.abort(reason)
  await assert.rejects(under, reason)
  await assert.rejects(
    within(30, outside.signal, async (end) => {
      end.throwIfAborted()
    }),
    reason,
  )
})
