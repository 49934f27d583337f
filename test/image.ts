// The container image without containers: what its Dockerfile runs is run here, and a gateway started from what it copies.
// By itself, as it writes a gigabyte: npm run test:image.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { cpSync, mkdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { startCommand, temporaryFolder } from './support/command.ts'
import { createDatabase } from './support/database.ts'
import { sendPacket } from './support/gateway.ts'
import { until } from './support/until.ts'

const root = join(import.meta.dirname, '..')
/** Where there is room for a gigabyte of packages: other files of the tests are in memory. */
const disk = '/var/tmp'
const run = promisify(execFile)

/** The instructions of the two stages, one a line. */
function readDockerfile(): { readonly build: string[]; readonly image: string[] } {
  const text = readFileSync(join(root, 'Dockerfile'), 'utf8').replaceAll('\\\n', ' ')
  const [, build = '', image = ''] = text.split(/^FROM .*$/m)
  return { build: build.split('\n'), image: image.split('\n') }
}

/** What stands behind the instructions of a kind. */
function argumentsOf(instructions: readonly string[], kind: string): string[] {
  return instructions
    .filter((line) => line.startsWith(`${kind} `))
    .map((line) => line.slice(kind.length + 1))
}

/** Copies what is sent to the builder. */
function copyContext(folder: string): void {
  const ignored = readFileSync(join(root, '.dockerignore'), 'utf8').split('\n').filter(Boolean)
  cpSync(root, folder, {
    recursive: true,
    filter: (path) => !ignored.includes(relative(root, path)),
  })
}

test('the image is built from the sources, and its gateway takes packets', async () => {
  const { build, image } = readDockerfile()
  using buildFolder = temporaryFolder(disk)
  using imageFolder = temporaryFolder(disk)

  copyContext(buildFolder.path)
  // All packages came with those of this clone: nothing needs to be asked for again.
  const env = { ...process.env, npm_config_prefer_offline: 'true' }
  for (const command of argumentsOf(build, 'RUN'))
    await run('sh', ['-c', command], { cwd: buildFolder.path, env })

  const copies = argumentsOf(image, 'COPY').map((line) => / \/app\/(\S+) \.\//.exec(line)?.[1])
  for (const path of copies) {
    assert.ok(path !== undefined)
    mkdirSync(dirname(join(imageFolder.path, path)), { recursive: true })
    cpSync(join(buildFolder.path, path), join(imageFolder.path, path), { recursive: true })
  }

  const [entry = ''] = argumentsOf(image, 'ENTRYPOINT').map((line) => JSON.parse(line)[1])
  const [command = []] = argumentsOf(image, 'CMD').map((line) => JSON.parse(line))
  await using database = await createDatabase()
  await using gateway = startCommand(command, {
    entry: join(imageFolder.path, entry),
    cwd: imageFolder.path,
    env: { NODE_ENV: 'production', APP_PORT: '0', DATABASE_URL: database.url },
  })
  const url = await until('the gateway is ready', () => {
    return /"url":"([^"]+)","msg":"gateway ready"/.exec(gateway.stdout())?.[1]
  })
  assert.equal((await sendPacket(url, 'call', 1)).status, 202)
  const desk = await fetch(url, { headers: { accept: 'text/html' } })
  assert.match(await desk.text(), /<title>/)
  gateway.kill('SIGTERM')
  const { code, stdout } = await gateway.ended
  assert.equal(code, 0)
  assert.doesNotMatch(stdout, /"level":"(error|fatal)"/)
})
