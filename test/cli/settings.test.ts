// Where commands take their settings from, and how they refuse wrong ones.
import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite, test } from 'node:test'
import { runCommand, temporaryFolder } from '../support/command.ts'

const secret = 'hunter2'
const wrong = {
  DATABASE_URL: `mysql://gateway:${secret}@db/calls`,
  APP_PORT: '80000',
  RETRY_MAX_WAIT: '0.5',
}
const told = `Wrong settings:
  DATABASE_URL must be postgres://user:password@host:port/database (also postgresql+asyncpg://), or empty, but is something else
  APP_PORT must be a whole number from 0 to 65535, but is "80000"
  RETRY_INITIAL_WAIT must not be greater than RETRY_MAX_WAIT (0.5), but is 1
`

suite('wrong settings', { concurrency: 2 }, () => {
  for (const command of [['serve', '--demo'], ['migrate']])
    test(`${command.join(' ')} tells all of them at once, nothing else, and ends with 2`, async () => {
      const ended = await runCommand(command, { env: wrong })
      assert.deepEqual(ended, { code: 2, stdout: '', stderr: told })
    })
})

suite('the file .env', { concurrency: 2 }, () => {
  async function serveWith(file: string, env: Record<string, string> = {}): Promise<string> {
    using folder = temporaryFolder()
    writeFileSync(join(folder.path, '.env'), file)
    const { code, stdout, stderr } = await runCommand(['serve'], { cwd: folder.path, env })
    assert.deepEqual([code, stdout], [2, ''])
    return stderr
  }

  test('of the working directory is read', async () => {
    const file = '# ours\nAPP_PORT=80000\nexport LOG_LEVEL="loud" # too much\n'
    const stderr = await serveWith(file)
    assert.match(stderr, /APP_PORT .* but is "80000"\n/)
    assert.match(stderr, /LOG_LEVEL .* but is "loud"\n/)
  })

  test('gives way to the environment', async () => {
    const stderr = await serveWith('APP_PORT=80000\nLOG_LEVEL=loud\nAI_SEED=-1\n', {
      APP_PORT: '0',
      LOG_LEVEL: 'whisper',
    })
    assert.doesNotMatch(stderr, /APP_PORT/)
    assert.match(stderr, /LOG_LEVEL .* but is "whisper"\n/)
    assert.match(stderr, /AI_SEED .* but is "-1"\n/)
  })

  test('that cannot be read is a mistake, and not passed over', async () => {
    using folder = temporaryFolder()
    mkdirSync(join(folder.path, '.env'))
    const ended = await runCommand(['serve'], { cwd: folder.path })
    assert.deepEqual(ended, { code: 2, stdout: '', stderr: 'The file .env cannot be read\n' })
  })
})
