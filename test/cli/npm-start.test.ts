// `npm start` as a service manager runs it: what it signals is npm, and the gateway has to hear it.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { test } from 'node:test'
import { createDatabase } from '../support/database.ts'
import { until } from '../support/until.ts'

const root = join(import.meta.dirname, '..', '..')

type Npm = ReturnType<typeof start>

function start(url: string) {
  return spawn('npm', ['start'], {
    cwd: root,
    env: { ...process.env, APP_PORT: '0', DATABASE_URL: url, LOG_LEVEL: 'info' },
    stdio: ['ignore', 'pipe', 'ignore'],
    detached: true,
  })
}

const ends: readonly (readonly [string, (npm: Npm, group: number) => void])[] = [
  ['SIGTERM to npm', (npm) => npm.kill('SIGTERM')],
  // The terminal tells the whole group, and npm tells the gateway once more.
  ['Ctrl-C', (_npm, group) => process.kill(-group, 'SIGINT')],
]

for (const [how, end] of ends) {
  test(`${how} under npm start ends the gateway in order`, async (t) => {
    await using database = await createDatabase()
    const npm = start(database.url)
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
    end(npm, pid)
    const [code] = await once(npm, 'exit')
    assert.equal(code, 0)
    assert.match(output, /gateway stopped/)
    assert.doesNotMatch(output, /"level":"(error|fatal)"/)
  })
}
