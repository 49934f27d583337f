// Builds the published package: JavaScript for Node.js (which strips no types inside node_modules), and beside it
// what is not TypeScript.
import { execFileSync } from 'node:child_process'
import { cpSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'

const root = join(import.meta.dirname, '..')
const dist = join(root, 'dist')

rmSync(dist, { recursive: true, force: true })
execFileSync('tsc', ['-p', 'tsconfig.build.json'], { cwd: root, stdio: 'inherit' })
cpSync(join(root, 'src/database/migrations'), join(dist, 'database/migrations'), {
  recursive: true,
})
cpSync(
  createRequire(import.meta.url).resolve('redoc/bundles/redoc.standalone.js'),
  join(dist, 'redoc.standalone.js'),
)
execFileSync(process.execPath, ['scripts/build-desk.ts'], { cwd: root, stdio: 'inherit' })
