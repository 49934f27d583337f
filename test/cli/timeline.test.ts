// The timeline on the command line: what is printed, and how the command ends.
import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { suite, test } from 'node:test'
import { formatTimeline } from '../../src/cli/timeline.ts'
import { runCommand } from '../support/command.ts'
import { sendPacket } from '../support/gateway.ts'
import { sharedGateway } from '../support/shared-gateway.ts'

const { gateway } = await sharedGateway()
const { url } = gateway

const timeline = {
  call_id: 'CALL-1',
  status: 'FAILED',
  why: 'It is tried anew at 2026-11-21T09:05:00.000Z.',
  left_out: 1200,
  entries: [
    { at: '2026-11-20T23:59:59.987Z', text: 'The call began.' },
    {
      at: '2026-11-21T00:00:00.010Z',
      text: 'It said: \u001b[2Jgone\r\nuntil 2026-11-21T09:05:00.000Z.',
    },
  ],
}

suite('the text of a timeline', () => {
  test('is aligned, in the time zone it names, and leaves nothing to a stranger’s cursor', () =>
    assert.equal(
      formatTimeline(timeline, 'Europe/Berlin'),
      [
        'CALL-1: FAILED (times in Europe/Berlin)',
        '',
        '1,200 older entries are left out.',
        '2026-11-21 00:59:59.987  The call began.',
        '2026-11-21 01:00:00.010  It said:  [2Jgone until 2026-11-21 10:05:00.000.',
        '',
        'Why there is no transcript: It is tried anew at 2026-11-21 10:05:00.000.',
      ].join('\n'),
    ))

  test('of a call with a transcript ends with what happened last', () =>
    assert.equal(
      formatTimeline({ ...timeline, why: null, left_out: 0, entries: [] }, 'UTC'),
      'CALL-1: FAILED (times in UTC)\n',
    ))
})

suite('the command', { concurrency: 2 }, () => {
  test('prints a call in the local time zone, and ends with 0', async () => {
    await sendPacket(url, 'printed', 1)
    const { code, stdout, stderr } = await runCommand(['timeline', 'printed', '--url', `${url}/`], {
      env: { TZ: 'Asia/Kolkata' },
    })
    assert.deepEqual([code, stderr], [0, ''])
    const [title, , first] = stdout.split('\n')
    assert.match(title ?? '', /^printed: IN_PROGRESS \(times in Asia\/(Kolkata|Calcutta)\)$/)
    assert.match(first ?? '', /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} {2}The call began\.$/)
    assert.match(stdout, /\nWhy there is no transcript: The call is in progress; .*\.\n$/)
  })

  test('prints the answer of the gateway with --json', async () => {
    await sendPacket(url, 'json', 1)
    const { code, stdout } = await runCommand(['timeline', 'json', '--json', '--url', url])
    assert.equal(code, 0)
    const answer = await fetch(`${url}/v1/call/json/timeline`)
    assert.deepEqual(JSON.parse(stdout), await answer.json())
  })

  test('ends with 1 and a sentence for a call that nobody knows', async () => {
    const { code, stdout, stderr } = await runCommand(['timeline', 'nobody', '--url', url])
    assert.deepEqual([code, stdout, stderr], [1, '', 'Call nobody not found\n'])
  })

  const wrong: readonly (readonly [what: string, args: string[], says: RegExp])[] = [
    ['what is no call id', ['a b/../c', '--url', url], /^"a b\/\.\.\/c" is no call id\.\n$/],
    ['no call', ['--url', url], /missing required argument 'call_id'/],
    ['what is no URL', ['x', '--url', 'localhost'], /It must be a URL such as/],
    ['no gateway', ['x', '--url', 'http://127.0.0.1:1'], /^No gateway answers at .*:1\b.*\.\n$/],
  ]
  for (const [what, args, says] of wrong)
    test(`ends with 2 and a sentence for ${what}`, async () => {
      const { code, stdout, stderr } = await runCommand(['timeline', ...args])
      assert.deepEqual([code, stdout], [2, ''])
      assert.match(stderr, says)
      assert.doesNotMatch(stderr, /\n\s+at /)
    })

  const others: readonly (readonly [status: number, body: string, code: number, says: RegExp])[] = [
    [200, '<html>', 2, /is no gateway of this version/],
    [404, 'null', 2, /is no gateway of this version/],
    [
      503,
      '{"detail":"The database does not answer"}',
      1,
      /cannot say: The database does not answer/,
    ],
  ]
  for (const [status, body, expected, says] of others)
    test(`ends with ${expected} when ${status} ${body} comes back`, async () => {
      const server = createServer((_request, response) => {
        response.statusCode = status
        response.end(body)
      })
      await using _ = server
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
      const { port } = server.address() as AddressInfo
      const address = `http://127.0.0.1:${port}`
      const { code, stdout, stderr } = await runCommand(['timeline', 'x', '--url', address])
      assert.deepEqual([code, stdout], [expected, ''])
      assert.match(stderr, says)
    })
})
