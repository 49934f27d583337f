// Builds the desk, web/, into dist/desk. Into a new folder first, which then takes the place of the old one: gateways
// that start at the same time may all build it.
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { build } from 'vite'
import { deskSources } from '../src/http/desk.ts'

const root = join(import.meta.dirname, '..')
const dist = join(root, 'dist')
const desk = join(dist, 'desk')

/** What the first view may load as script, compressed. */
const mostScriptBytes = 200_000

mkdirSync(dist, { recursive: true })
const staging = mkdtempSync(join(dist, '.desk-'))
const fresh = join(staging, 'new')
const stale = join(staging, 'old')
try {
  const stamp = deskSources(root)
  const output = await build({
    root: join(root, 'web'),
    base: '/web/',
    configFile: false,
    logLevel: 'warn',
    build: {
      outDir: fresh,
      emptyOutDir: true,
      target: 'es2023',
      modulePreload: { polyfill: false },
      assetsInlineLimit: 0,
    },
  })
  writeFileSync(join(fresh, 'sources.sha256'), stamp)
  report(output)
  replace()
} finally {
  rmSync(staging, { recursive: true, force: true })
}

function report(output: Awaited<ReturnType<typeof build>>): void {
  const files = Array.isArray(output) ? output.flatMap((each) => each.output) : []
  const all = 'output' in output ? output.output : files
  let script = 0
  for (const file of all) {
    const bytes = gzipSync(file.type === 'chunk' ? file.code : file.source).length
    if (file.type === 'chunk') script += bytes
    console.log(`${file.fileName}  ${(bytes / 1_000).toFixed(1)} kB compressed`)
  }
  if (script > mostScriptBytes)
    throw new Error(`The desk has ${script} bytes of script compressed, over ${mostScriptBytes}`)
}

function replace(): void {
  try {
    renameSync(desk, stale)
  } catch {
    // There is none yet, or another process has just taken it away.
  }
  try {
    renameSync(fresh, desk)
  } catch (error) {
    // Another process built the same and was first.
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOTEMPTY')) throw error
  }
}
