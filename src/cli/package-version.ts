import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import Type from 'typebox'
import { isOfSchema } from '../border/validation.ts'

const Package = Type.Object({ version: Type.String() })

/** The version of this package. */
export function readVersion(): string {
  const file = join(import.meta.dirname, '..', '..', 'package.json')
  const description: unknown = JSON.parse(readFileSync(file, 'utf8'))
  if (!isOfSchema(Package, description)) throw new TypeError('package.json names no version')
  return description.version
}
