// What a call may be called. Requests go over a bare socket: a client library would rewrite such paths.
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { head, rawRequest } from '../support/raw-http.ts'
import { assertRefusal } from '../support/refusal.ts'
import { sharedGateway } from '../support/shared-gateway.ts'

const { gateway, database } = await sharedGateway()
const body = '{"sequence":1,"data":"audio chunk","timestamp":1}'

function stream(id: string, route = '/v1/call/stream') {
  const headers = { 'content-type': 'application/json', 'content-length': String(body.length) }
  return rawRequest(gateway.url, [head('POST', `${route}/${id}`, headers), body])
}

const bytes = (text: string) => encodeURIComponent(text)

const accepted: readonly (readonly [inPath: string, callId: string])[] = [
  ['a', 'a'],
  ['0', '0'],
  ['CALL-0019', 'CALL-0019'],
  ['CA8f2.b_c:d~e@f+g-h', 'CA8f2.b_c:d~e@f+g-h'],
  ['sip%3A204%40pbx', 'sip:204@pbx'],
  ['%41%2B%41', 'A+A'],
  ['constructor', 'constructor'],
  ['toString', 'toString'],
  ['hasOwnProperty', 'hasOwnProperty'],
  ['null', 'null'],
  ['History', 'History'],
  ['history-1', 'history-1'],
  ['call', 'call'],
  ['b'.repeat(128), 'b'.repeat(128)],
]

const refused: readonly (readonly [name: string, inPath: string, status: number])[] = [
  ['a path upwards', '../../x', 404],
  ['an encoded path upwards', '%2e%2e%2f', 422],
  ['one dot', '.', 422],
  ['two dots', '..', 422],
  ['encoded twice', '%252e%252e%252f', 422],
  ['a NUL', '%00', 422],
  ['a NUL within', 'a%00b', 422],
  ['a slash', 'a/b', 404],
  ['an encoded slash', 'a%2Fb', 422],
  ['a backslash', 'a%5Cb', 422],
  ['nothing', '', 422],
  ['a space', 'a%20b', 422],
  ['a line feed at its end', 'a%0A', 422],
  ['a header of its own', 'a%0D%0Ax-injected:%201', 422],
  ['a percent sign', '%', 422],
  ['no hexadecimal number', '%zz', 422],
  ['half a character', 'a%C3', 422],
  ['a lone surrogate', '%ED%A0%80', 422],
  ['an overlong slash', '%C0%AF', 422],
  ['129 characters', 'c'.repeat(129), 422],
  ['10 kB', 'd'.repeat(10_000), 422],
  ['an accent, composed', bytes('caf\u00e9'), 422],
  ['an accent, decomposed', bytes('cafe\u0301'), 422],
  ['an emoji', bytes('☎️'), 422],
  ['text from right to left', bytes('\u202egnp.call'), 422],
  ['a character of no width', bytes('call\u200b'), 422],
  ['a letter of full width', bytes('ｃall'), 422],
  ['a Cyrillic letter', bytes('сall'), 422],
  ['__proto__', '__proto__', 422],
  ['an underscore first', '_a', 422],
  ['history, which is a route', 'history', 422],
  ['history, encoded', 'histor%79', 422],
  ['an injection', bytes("'; DROP TABLE calls; --"), 422],
  ['a star', '*', 422],
  ['a template', bytes('{{7*7}}'), 422],
  ['markup', bytes('<img src=x onerror=alert(1)>'), 422],
  ['20 kB, more than a request line may be', 'e'.repeat(20_000), 431],
]

suite('call ids of the pattern', () => {
  for (const [inPath, callId] of accepted)
    test(`${inPath.slice(0, 30)} is accepted as it is`, async () => {
      const reply = await stream(inPath)
      assert.equal(reply.status, 202, reply.body)
      assert.equal(JSON.parse(reply.body).call_id, callId)
      const read = await rawRequest(gateway.url, [head('GET', `/v1/call/${inPath}`)])
      assert.equal(read.status, 200, read.body)
      assert.equal(JSON.parse(read.body).call_id, callId)
      const complete = `/v1/call/complete/${inPath}`
      const completed = await rawRequest(gateway.url, [head('POST', complete)])
      assert.equal(completed.status, 200, completed.body)
    })
})

suite('any other call id is refused by every route', () => {
  for (const [name, inPath, status] of refused)
    test(name, async () => {
      for (const route of ['/v1/call/stream', '/ingest'])
        assertRefusal(await stream(inPath, route), status)
      const complete = `/v1/call/complete/${inPath}`
      assertRefusal(await rawRequest(gateway.url, [head('POST', complete)]), status)
      if (inPath.startsWith('histor')) return
      assertRefusal(await rawRequest(gateway.url, [head('GET', `/v1/call/${inPath}`)]), status)
    })

  test('bytes beyond ASCII that are not encoded', async () => {
    const line = Buffer.from(head('GET', '/v1/call/caf\u00e9'), 'latin1')
    assertRefusal(await rawRequest(gateway.url, [line]))
  })
})

test('what was refused left nothing, and no two ids became one call', async () => {
  for (const [inPath] of accepted) await stream(inPath)
  for (const [, inPath] of refused) await stream(inPath)
  const { rows } = await database.pool.query<{ call_id: string }>('SELECT call_id FROM calls')
  assert.deepEqual(
    rows.map((row) => row.call_id).toSorted(),
    accepted.map(([, callId]) => callId).toSorted(),
  )
})
