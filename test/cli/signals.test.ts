// SIGTERM and Ctrl-C: the gateway ends in order, with 0, and takes its embedded database with it.
import assert from 'node:assert/strict'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { type RunningCommand, startCommand } from '../support/command.ts'
import { type DataDirectory, newDataDirectory } from '../support/data-directory.ts'
import { getCall, sendPacket } from '../support/gateway.ts'
import { until } from '../support/until.ts'

/** Starts a gateway with an embedded database, in a process group of its own. */
function serve({ path }: DataDirectory): RunningCommand {
  return startCommand(['serve'], {
    env: {
      APP_PORT: '0',
      DATA_DIR: path,
      COMPLETION_GRACE_SECONDS: '0',
      // A machine that runs many tests at once is slow; what that means for packets has tests of its own.
      PACKET_PATIENCE_SECONDS: '5',
    },
    group: true,
  })
}

/** Where a gateway listens, once it does. */
function ready(gateway: RunningCommand): Promise<string> {
  return until('the gateway is ready', () => {
    return /"url":"([^"]+)","msg":"gateway ready"/.exec(gateway.stdout())?.[1]
  })
}

async function endsInOrder(gateway: RunningCommand, directory: DataDirectory): Promise<void> {
  const { code, stdout } = await gateway.ended
  assert.equal(code, 0, stdout)
  assert.match(stdout, /"msg":"gateway stopped"\}\n$/)
  assert.doesNotMatch(stdout, /"level":"(error|fatal)"/)
  assert.equal(directory.postmaster(), undefined)
  assert.equal(existsSync(join(directory.path, 'gateway.lock')), false)
}

const ends: readonly (readonly [string, (gateway: RunningCommand) => void])[] = [
  ['SIGTERM', (gateway) => gateway.kill('SIGTERM')],
  ['SIGINT', (gateway) => gateway.kill('SIGINT')],
  // The terminal tells all processes of the group: to the database it must be nothing.
  ['Ctrl-C', (gateway) => gateway.killGroup('SIGINT')],
]

test('after SIGTERM, SIGINT and Ctrl-C no postgres is left, and what was acknowledged is there', async () => {
  await using directory = newDataDirectory()
  for (const [index, [how, end]] of ends.entries()) {
    await using gateway = serve(directory)
    const url = await ready(gateway)
    assert.match(gateway.stderr(), /is ready\..*Stop with Ctrl-C/s)
    for (const [before] of ends.slice(0, index)) {
      const { body } = await getCall(url, before)
      assert.deepEqual([body.total_packets, body.missing_packets], [40, ''], before)
    }
    const packets = Array.from({ length: 40 }, (_, number) => sendPacket(url, how, number + 1))
    assert.ok((await Promise.all(packets)).every(({ status }) => status === 202))
    end(gateway)
    await endsInOrder(gateway, directory)
  }
})

const database = (entry: string) => join(entry, 'postgres', 'PG_VERSION')

test('an interrupted start ends in order at any moment, and the next is as good as the first', async () => {
  await using directory = newDataDirectory()
  const { path } = directory
  const moments: readonly (readonly [string, () => boolean, NodeJS.Signals, 'one' | 'group'])[] = [
    [
      'the database is being made',
      () => readdirSync(path).some((name) => existsSync(database(join(path, name)))),
      'SIGINT',
      'group',
    ],
    ['the folder is locked', () => existsSync(join(path, 'gateway.lock')), 'SIGTERM', 'one'],
    ['the database starts', () => directory.postmaster() !== undefined, 'SIGTERM', 'one'],
  ]
  for (const [moment, has, signal, to] of moments) {
    await using interrupted = serve(directory)
    await until(moment, has)
    if (to === 'one') interrupted.kill(signal)
    else interrupted.killGroup(signal)
    await endsInOrder(interrupted, directory)
    assert.equal(interrupted.stderr(), '')
  }
  await using gateway = serve(directory)
  assert.equal((await sendPacket(await ready(gateway), 'next', 1)).status, 202)
  gateway.kill('SIGTERM')
  await endsInOrder(gateway, directory)
})
