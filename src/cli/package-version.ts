import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import Type from 'typebox'
import { Value } from 'typebox/value'

/** The version of this package. */
export function readVersion(): string {
  const file = join(import.meta.dirname, '..', '..', 'package.json')
  return Value.Parse(
    Type.Object({ version: Type.String() }),
    JSON.parse(readFileSync(file, 'utf8')),
  ).version
}
