import assert from 'node:assert/strict'
import type { RawReply } from './raw-http.ts'

/** The statuses with which the gateway may refuse what a client sends: 408 and 431 are HTTP's own. */
const refusals: readonly number[] = [400, 404, 408, 409, 413, 415, 422, 431]

/** Words that are on the inside: of SQL, of a stack, of our files and of the libraries'. */
const insides = [
  /\n\s+at /,
  /node_modules/,
  /\.(ts|js|sql):\d/,
  /\/(work|home|tmp|src|root)\//,
  /store_packets|commit_packets|transition_call|int8multirange|pg_catalog/,
  /syntax error at|relation "|SQLSTATE|violates|invalid input/,
  /FST_ERR|ECONN|TypeError|RangeError|SyntaxError|Unexpected token/,
]

/** Fails when a text shows anything of the gateway's inside. */
export function assertNoInsides(text: string): void {
  for (const inside of insides) assert.doesNotMatch(text, inside)
}

/** Fails unless a reply is a refusal as documented: a 4xx, an error body in JSON, and nothing of the inside. */
export function assertRefusal({ status, body }: RawReply, expected?: number): void {
  if (expected === undefined) assert.ok(refusals.includes(status ?? 0), `${status} ${body}`)
  else assert.equal(status, expected, body)
  assertNoInsides(body)
  const { detail, code } = JSON.parse(body) as { detail?: unknown; code?: unknown }
  if (status === 422) {
    assert.ok(Array.isArray(detail), body)
    for (const problem of detail) {
      assert.deepEqual(Object.keys(problem as object).toSorted(), ['input', 'loc', 'msg', 'type'])
      assert.ok(Array.isArray((problem as { loc: unknown }).loc))
    }
  } else assert.deepEqual([typeof detail, typeof code], ['string', 'string'], body)
}
