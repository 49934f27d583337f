import assert from 'node:assert/strict'
import { test } from 'node:test'
import { simulateCommand } from '../../src/cli/simulate.ts'

async function errorOf(...options: string[]): Promise<string> {
  const command = simulateCommand()
    .exitOverride()
    .configureOutput({ writeErr: () => {} })
  try {
    await command.parseAsync(options, { from: 'user' })
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
  return ''
}

const wrongValues: readonly (readonly [option: string, value: string, accepts: RegExp])[] = [
  ['--calls', '0', /a whole number from 1 to 10000/],
  ['--calls', '2.5', /a whole number from 1 to 10000/],
  ['--rate', '-1', /a number from 0 to 1000/],
  ['--loss', '2%', /a number from 0 to 1/],
  ['--reorder', '1.01', /a number from 0 to 1/],
  ['--duplicates', 'NaN', /a number from 0 to 1/],
  ['--jitter', '10ms', /a number from 0 to 10000/],
  ['--seed', '4294967296', /a whole number from 0 to 4294967295/],
  ['--timeout', '1e9', /a number from 0 to 86400/],
  ['--url', 'localhost:8000', /a URL such as/],
  ['--audiosocket-port', '0', /a whole number from 1 to 65535/],
  [
    '--protocol',
    'sip',
    /http, stream, audiosocket, asterisk, twilio, telnyx, plivo, fonoster, freeswitch, jambonz, genesys, vonage/,
  ],
]

for (const [option, value, accepts] of wrongValues)
  test(`${option} ${value} is refused by name, with what is accepted and what came`, async () => {
    const message = await errorOf(option, value)
    assert.match(message, new RegExp(`'${option} <`))
    assert.ok(message.includes(`'${value}'`))
    assert.match(message, accepts)
  })
