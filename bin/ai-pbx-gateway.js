#!/usr/bin/env node
// The doorstep, in JavaScript that any Node understands: finds a Node that is new enough (the package pins one),
// then hands over to src/cli, or to dist/cli where the package was built.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import module from 'node:module'
import { constants } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const [major, minor] = process.versions.node.split('.').map(Number)

if (major > 22 || (major === 22 && minor >= 18)) {
  // What was compiled once need not be compiled at the next start; where nothing can be kept, it is.
  module.enableCompileCache?.(join(root, 'node_modules', '.cache', 'compiled'))
  const source = join(root, 'src', 'cli', 'main.ts')
  const entry = existsSync(source) ? source : join(root, 'dist', 'cli', 'main.js')
  await import(pathToFileURL(entry).href)
} else {
  const pinned = join(root, 'node_modules', '.bin', 'node')
  if (!existsSync(pinned)) {
    console.error(
      `The AI PBX Gateway needs Node.js 22.18 or later; this is ${process.versions.node}.\n` +
        'Install a newer one, or run `npm ci` without --omit=optional, which brings its own.',
    )
    process.exit(2)
  }
  const child = spawn(pinned, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], {
    stdio: 'inherit',
  })
  // A terminal's Ctrl-C reaches the child by itself; it decides how to end.
  process.on('SIGINT', () => {})
  process.on('SIGTERM', () => child.kill('SIGTERM'))
  child.on('exit', (code, signal) => {
    process.exitCode = code ?? 128 + constants.signals[signal]
  })
}
