// The command line itself: help, version, and what happens to those who ask wrongly.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite, test } from 'node:test'
import { runCommand } from '../support/command.ts'

const manifest = readFileSync(join(import.meta.dirname, '..', '..', 'package.json'), 'utf8')
const { version } = JSON.parse(manifest) as { version: string }

test('--version prints the version of the package', async () => {
  const { code, stdout, stderr } = await runCommand(['--version'])
  assert.deepEqual({ code, stdout, stderr }, { code: 0, stdout: `${version}\n`, stderr: '' })
})

const helps: readonly (readonly [args: string[], ...says: RegExp[]])[] = [
  [['--help'], /\bserve\b/, /\bmigrate\b/, /\bsimulate\b/, /--version/, /\.env\.example/],
  [['simulate', '--help'], /--calls/, /--rate/, /--loss/, /--reorder/, /--seed/, /--url/],
]

suite('help', { concurrency: 2 }, () => {
  for (const [args, ...says] of helps)
    test(`${args.join(' ')} explains, and is no mistake`, async () => {
      const { code, stdout, stderr } = await runCommand(args)
      assert.deepEqual([code, stderr], [0, ''])
      for (const text of [/^Usage: ai-pbx-gateway/, ...says]) assert.match(stdout, text)
    })
})

const mistakes: readonly (readonly [args: string[], says: RegExp])[] = [
  [[], /^Usage: ai-pbx-gateway/],
  [['start'], /unknown command 'start'/],
  [['serve', '--port', '8000'], /unknown option '--port'/],
  [['serve', 'now'], /too many arguments for 'serve'.*now/],
  [['simulate', '--calls', 'ten'], /'--calls <count>'.*'ten'.*whole number from 1 to 10000/],
]

suite('mistakes', { concurrency: 2 }, () => {
  for (const [args, says] of mistakes)
    test(`"${args.join(' ')}" is told what is wrong, and ends with 2`, async () => {
      const { code, stdout, stderr } = await runCommand(args)
      assert.deepEqual([code, stdout], [2, ''])
      assert.match(stderr, says)
      assert.match(stderr, /--help/)
      assert.doesNotMatch(stderr, /\n\s+at /)
    })
})
