// The doctor beside a gateway of a test, with settings of its own.
import assert from 'node:assert/strict'
import { createServer } from 'node:net'
import { parseConfig } from '../../src/config.ts'
import { examine, type Finding } from '../../src/doctor/doctor.ts'

/** What it found. */
export type Examined = {
  readonly findings: readonly Finding[]
  /** All that it says, as JSON. */
  readonly text: string
  /** What it says of one thing. */
  readonly of: (check: string) => Finding
}

/** Examines the gateway at a URL. */
export async function examineWith(
  url: string,
  settings: Readonly<Record<string, string>>,
  now: () => number = Date.now,
): Promise<Examined> {
  const findings = await examine({ config: parseConfig(settings), url, now })
  const text = JSON.stringify(findings)
  return {
    findings,
    text,
    of: (check) => {
      const finding = findings.find((each) => each.check === check)
      assert.ok(finding, `nothing is said of ${check}: ${text}`)
      return finding
    },
  }
}

/** A port that nobody has. */
export async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  assert.ok(typeof address === 'object' && address !== null)
  return address.port
}
