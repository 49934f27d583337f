// The doorstep, bin/ai-pbx-gateway.js: under a Node.js that is too old it starts the pinned one, and is as good
// as not there.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite, test } from 'node:test'
import { runCommand, startCommand, temporaryFolder } from '../support/command.ts'
import { createDatabase } from '../support/database.ts'
import { sendPacket } from '../support/gateway.ts'
import { until } from '../support/until.ts'

const root = join(import.meta.dirname, '..', '..')
const systemNode = '/usr/bin/node'

/** Why the tests cannot be: the system's Node.js must be there, and too old. */
function reasonToSkip(): string | false {
  if (!existsSync(systemNode)) return `there is no ${systemNode}`
  const { stdout } = spawnSync(systemNode, ['--version'], { encoding: 'utf8' })
  const [major = 0, minor = 0] = stdout.slice(1).split('.').map(Number)
  return major > 22 || (major === 22 && minor >= 18) ? `${systemNode} is new enough` : false
}

/** The processes that a process started and that live. */
function childrenOf(pid: number): number[] {
  const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
  return text.split(' ').filter(Boolean).map(Number)
}

suite('under an old Node.js', { skip: reasonToSkip() }, () => {
  const node = systemNode

  test('the commands do what they do under a new one, with the same exit codes', async () => {
    const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
      version: string
    }
    const ended = await runCommand(['--version'], { node })
    assert.deepEqual(ended, { code: 0, stdout: `${version}\n`, stderr: '' })
    const wrong = await runCommand(['serve'], { node, env: { APP_PORT: 'x' } })
    assert.deepEqual(wrong, await runCommand(['serve'], { env: { APP_PORT: 'x' } }))
    assert.equal(wrong.code, 2)
  })

  test('SIGTERM goes on to the gateway, which ends in order, and none stays behind', async () => {
    await using database = await createDatabase()
    await using doorstep = startCommand(['serve'], {
      node,
      env: { APP_PORT: '0', DATABASE_URL: database.url },
      group: true,
    })
    const url = await until('the gateway is ready', () => {
      return /"url":"([^"]+)","msg":"gateway ready"/.exec(doorstep.stdout())?.[1]
    })
    const [gateway = 0, ...others] = childrenOf(doorstep.pid)
    assert.deepEqual(others, [])
    assert.ok(doorstep.stdout().includes(`"pid":${gateway},`))
    assert.equal((await sendPacket(url, 'call', 1)).status, 202)
    doorstep.kill('SIGTERM')
    const { code, stdout } = await doorstep.ended
    assert.equal(code, 0)
    assert.match(stdout, /"msg":"gateway stopped"\}\n$/)
    assert.equal(existsSync(`/proc/${gateway}`), false)
  })

  test('a gateway that is killed is told by the exit code, as a shell does', async () => {
    await using database = await createDatabase()
    await using doorstep = startCommand(['serve'], {
      node,
      env: { APP_PORT: '0', DATABASE_URL: database.url },
      group: true,
    })
    await until('the gateway is ready', () => doorstep.stdout().includes('gateway ready'))
    const [gateway = 0] = childrenOf(doorstep.pid)
    process.kill(gateway, 'SIGKILL')
    assert.equal((await doorstep.ended).code, 128 + 9)
  })

  test('without the pinned one it is said which is needed, and how to get it', async () => {
    using folder = temporaryFolder()
    for (const path of ['bin', 'package.json'])
      cpSync(join(root, path), join(folder.path, path), { recursive: true })
    const entry = join(folder.path, 'bin', 'ai-pbx-gateway.js')
    const { code, stdout, stderr } = await runCommand(['serve'], { node, entry })
    assert.deepEqual([code, stdout], [2, ''])
    assert.match(stderr, /needs Node\.js 22\.18 or later; this is \d+\.\d+\.\d+\./)
    assert.match(stderr, /npm ci/)
    assert.doesNotMatch(stderr, /\n\s+at /)
  })
})
