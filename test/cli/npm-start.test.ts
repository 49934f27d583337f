// `npm start` as a service manager runs it: what it signals is npm, and the gateway has to hear it.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { test } from 'node:test'
import { createDatabase } from '../support/database.ts'
import { until } from '../support/until.ts'

const root = join(import.meta.dirname, '..', '..')

test('SIGTERM to npm start ends the gateway in order, with 0', async (t) => {
  await using database = await createDatabase()
  const npm = spawn('npm', ['start'], {
    cwd: root,
    env: { ...process.env, APP_PORT: '0', DATABASE_URL: database.url, LOG_LEVEL: 'info' },
    stdio: ['ignore', 'pipe', 'ignore'],
    detached: true,
  })
  const { pid } = npm
  assert.ok(pid !== undefined)
  t.after(() => {
    try {
      process.kill(-pid, 'SIGKILL')
    } catch {
      assert.notEqual(npm.exitCode, null, 'there was nothing to kill, and npm had not ended')
    }
  })
  let output = ''
  npm.stdout.on('data', (chunk) => {
    output += String(chunk)
  })
  await until('the gateway is ready', () => output.includes('gateway ready'))
  npm.kill('SIGTERM')
  const [code] = await once(npm, 'exit')
  assert.equal(code, 0)
  assert.match(output, /gateway stopped/)
})
