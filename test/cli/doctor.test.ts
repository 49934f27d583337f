// `ai-pbx-gateway doctor`: what it prints, how it ends, and what it leaves behind.
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import type { Finding } from '../../src/doctor/doctor.ts'
import { protocols } from '../../src/simulator/protocols.ts'
import { runCommand } from '../support/command.ts'
import { freePort } from '../support/doctor.ts'
import { sharedGateway } from '../support/shared-gateway.ts'

const port = await freePort()
const { gateway, database } = await sharedGateway({ AUDIOSOCKET_PORT: `${port}` })
const env = { DATABASE_URL: database.url, AUDIOSOCKET_PORT: `${port}` }

type Report = { readonly ok: boolean; readonly findings: readonly Finding[] }

test('a healthy gateway: every listener is tried, the exit code is 0, and only doctor’s calls came', async () => {
  const [json, text] = await Promise.all([
    runCommand(['doctor', '--json', '--url', gateway.url], { env }),
    runCommand(['doctor', '--url', gateway.url], { env }),
  ])
  assert.deepEqual([json.code, json.stderr], [0, ''])
  const { ok, findings } = JSON.parse(json.stdout) as Report
  assert.equal(ok, true)
  for (const { name } of protocols) {
    const finding = findings.find(({ check }) => check === name)
    assert.equal(finding?.verdict, 'ok', finding?.text)
  }
  assert.deepEqual([text.code, text.stderr], [0, ''])
  assert.match(text.stdout, /^ok +audiosocket +2 s of speech on mixed arrived whole\.$/m)
  assert.match(text.stdout, /^Nothing keeps the gateway from its work\./m)
  const { rows } = await database.pool.query('SELECT call_id, status FROM calls')
  for (const { call_id, status } of rows) {
    assert.match(call_id, /^doctor-/)
    assert.notEqual(status, 'IN_PROGRESS')
  }
})

test('no gateway: the exit code is 1', async () => {
  const url = `http://127.0.0.1:${await freePort()}`
  const { code, stdout } = await runCommand(['doctor', '--url', url], { env })
  assert.equal(code, 1)
  assert.match(stdout, /^BAD +gateway +No gateway answers at .*\n +mend: npm start$/m)
  assert.match(stdout, /^1 thing keeps the gateway from its work\./m)
})

suite('asked wrongly, the exit code is 2', { concurrency: 4 }, () => {
  for (const [what, args, wrong, says] of [
    ['by a setting', [], { APP_PORT: 'eight' }, /APP_PORT must be a whole number/],
    ['for a gateway that nobody can find', [], { APP_PORT: '0' }, /Say it: --url/],
    ['for no URL', ['--url', 'gateway'], {}, /It must be a URL/],
    ['with an option that there is not', ['--fix'], {}, /unknown option/],
  ] as const)
    test(what, async () => {
      const { code, stdout, stderr } = await runCommand(['doctor', ...args], { env: wrong })
      assert.deepEqual([code, stdout], [2, ''])
      assert.match(stderr, says)
    })
})
