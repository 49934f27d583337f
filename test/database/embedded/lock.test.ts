// One gateway per data directory: who gets the lock, and when one that was left behind is void.
import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { lockDataDirectory } from '../../../src/database/embedded/lock.ts'
import { processBirth } from '../../../src/database/embedded/processes.ts'
import { StartupError } from '../../../src/errors.ts'
import { cleanUp, newDirectory } from './harness.ts'

after(cleanUp)

function directoryWithLock(text?: string): string {
  const directory = newDirectory()
  mkdirSync(directory)
  if (text !== undefined) writeFileSync(join(directory, 'gateway.lock'), text)
  return directory
}

function holder(directory: string): string {
  return readFileSync(join(directory, 'gateway.lock'), 'utf8').split(' ')[0] ?? ''
}

test('the lock names its holder while it is held, and is gone afterwards', async () => {
  const directory = directoryWithLock()
  const lock = await lockDataDirectory(directory)
  assert.equal(holder(directory), String(process.pid))
  lock.release()
  lock.release()
  assert.equal(existsSync(join(directory, 'gateway.lock')), false)
})

test('a second taker is refused with the directory and the number of the holder', async () => {
  const directory = directoryWithLock()
  const lock = await lockDataDirectory(directory)
  const expected = `DATA_DIR ${directory} is in use by another gateway (process ${process.pid})`
  await assert.rejects(
    lockDataDirectory(directory),
    (error) => error instanceof StartupError && error.message.startsWith(expected),
  )
  // The refusal must not have cost the first its lock.
  await assert.rejects(lockDataDirectory(directory), StartupError)
  lock.release()
  const next = await lockDataDirectory(directory)
  next.release()
})

test('the lock of a process that is no more is taken over', async () => {
  const directory = directoryWithLock('4194305 123\n')
  const lock = await lockDataDirectory(directory)
  assert.equal(holder(directory), String(process.pid))
  lock.release()
})

test('the lock of a process whose number was given to another is taken over', async () => {
  const directory = directoryWithLock(`${process.ppid} 1\n`)
  const lock = await lockDataDirectory(directory)
  assert.equal(holder(directory), String(process.pid))
  lock.release()
})

test('a lock file that was never finished is taken over', async () => {
  for (const text of ['', '12', 'rubbish\n']) {
    const directory = directoryWithLock(text)
    const lock = await lockDataDirectory(directory)
    assert.equal(holder(directory), String(process.pid))
    lock.release()
  }
})

test('without file locks of the system a living holder is known by number and birth', async () => {
  const directory = directoryWithLock(`${process.ppid} ${processBirth(process.ppid)}\n`)
  await assert.rejects(
    lockDataDirectory(directory),
    (error) => error instanceof StartupError && error.message.includes(`process ${process.ppid})`),
  )
})

if (process.platform === 'linux')
  test('a holder that cannot be seen, as from another container, is respected', async () => {
    const directory = directoryWithLock()
    const lock = await lockDataDirectory(directory)
    writeFileSync(join(directory, 'gateway.lock'), '4194305 123\n')
    await assert.rejects(lockDataDirectory(directory), StartupError)
    lock.release()
  })
