// `.env.example` is generated from the settings, and a check finds out when it is not.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { cpSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { parseEnv } from 'node:util'
import { describeSettings, parseConfig, settings } from '../../src/config.ts'
import { temporaryFolder } from '../support/command.ts'

const root = join(import.meta.dirname, '..', '..')

test('.env.example is what the settings say', () => {
  assert.equal(readFileSync(join(root, '.env.example'), 'utf8'), describeSettings())
})

test('.env.example, as it is, changes nothing; uncommented, it is the defaults', () => {
  assert.deepEqual({ ...parseEnv(describeSettings()) }, {})
  const uncommented = parseEnv(describeSettings().replaceAll(/^#(?=[A-Z_]+=)/gm, ''))
  assert.deepEqual(Object.keys(uncommented).toSorted(), Object.keys(settings).toSorted())
  assert.deepEqual(parseConfig(uncommented), parseConfig({}))
})

test('every setting stands there with its meaning and what it accepts', () => {
  for (const [name, { about, accepts, fallback }] of Object.entries(settings))
    assert.ok(
      describeSettings().includes(`# ${about}\n# Accepts ${accepts}.\n#${name}=${fallback}\n`),
      name,
    )
})

test('the check fails on any difference, writes nothing, and passes after generating', () => {
  using folder = temporaryFolder()
  const file = join(folder.path, '.env.example')
  for (const path of ['scripts/generate.ts', 'src/config.ts', 'src/errors.ts', 'package.json'])
    cpSync(join(root, path), join(folder.path, path))
  symlinkSync(join(root, 'node_modules'), join(folder.path, 'node_modules'))
  const generate = (...options: string[]) =>
    spawnSync(process.execPath, ['scripts/generate.ts', ...options], {
      cwd: folder.path,
      encoding: 'utf8',
    })

  writeFileSync(file, `${describeSettings()}\n`)
  const differs = generate('--check')
  assert.equal(differs.status, 1)
  assert.match(differs.stderr, /npm run generate/)
  assert.equal(readFileSync(file, 'utf8'), `${describeSettings()}\n`)

  assert.equal(generate().status, 0)
  assert.equal(readFileSync(file, 'utf8'), describeSettings())
  const { status, stderr } = generate('--check')
  assert.deepEqual([status, stderr], [0, ''])
})
