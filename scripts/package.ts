// Makes the tarball that is published, ai-pbx-gateway-<version>.tgz: built, and without the pinned Node.js, so that
// its users do not download a second one.
import { execFileSync } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

type Manifest = {
  files: string[]
  scripts?: object
  devDependencies?: object
  optionalDependencies: Record<string, string>
}

const root = join(import.meta.dirname, '..')
const staging = mkdtempSync(join(tmpdir(), 'gateway-package-'))

try {
  execFileSync('npm', ['run', 'build'], { cwd: root, stdio: 'inherit' })
  const {
    scripts: _,
    devDependencies: __,
    ...manifest
  } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Manifest
  const published = {
    ...manifest,
    optionalDependencies: Object.fromEntries(
      Object.entries(manifest.optionalDependencies).filter(([name]) => !name.startsWith('node-')),
    ),
  }
  for (const name of [...manifest.files, 'README.md', 'LICENSE'])
    cpSync(join(root, name), join(staging, name), { recursive: true })
  writeFileSync(join(staging, 'package.json'), JSON.stringify(published, null, 2))
  execFileSync('npm', ['pack', '--pack-destination', root], { cwd: staging, stdio: 'inherit' })
} finally {
  rmSync(staging, { recursive: true, force: true })
}
