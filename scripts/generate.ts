// Writes what is generated from the sources: `.env.example` from the settings. With --check it writes nothing and
// exits with 1 when a file is not what it would write.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describeSettings } from '../src/config.ts'

const file = join(import.meta.dirname, '..', '.env.example')
const text = describeSettings()

if (!process.argv.includes('--check')) writeFileSync(file, text)
else if (readFileSync(file, 'utf8') !== text) {
  console.error('.env.example is not what src/config.ts says: run npm run generate')
  process.exitCode = 1
}
