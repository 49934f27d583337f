// The served OpenAPI document, and what a reply must be according to it.
import assert from 'node:assert/strict'
import Ajv2020, { type ValidateFunction } from 'ajv/dist/2020.js'

/** A schema of the document. */
export type Schema = Readonly<Record<string, unknown>>

type Content = Readonly<Record<string, { readonly schema?: Schema; readonly example?: unknown }>>

/** What the document says of one route and method. */
export type Operation = {
  readonly operationId?: string
  readonly summary?: string
  readonly tags?: readonly string[]
  readonly parameters?: readonly {
    readonly name: string
    readonly in: string
    readonly required: boolean
    readonly schema: Schema
    readonly example?: unknown
  }[]
  readonly requestBody?: { readonly required?: boolean; readonly content: Content }
  readonly responses: Readonly<
    Record<string, { readonly description: string; readonly content?: Content }>
  >
}

/** The document, as far as the tests look at it. */
export type OpenApi = {
  readonly openapi: string
  readonly info: Readonly<Record<string, unknown>>
  readonly tags: readonly { readonly name: string }[]
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
}

/** Reads the document of a gateway. */
export async function readOpenApi(url: string): Promise<OpenApi> {
  const response = await fetch(`${url}/openapi.json`)
  assert.equal(response.status, 200)
  return (await response.json()) as OpenApi
}

const ajv = new Ajv2020.default({
  allErrors: true,
  strict: false,
  strictNumbers: true,
  formats: {
    'date-time': /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/,
    unicode: (text: string) => text.isWellFormed(),
  },
})
const validators = new WeakMap<Schema, ValidateFunction>()

/** Fails when a value is not what a schema of the document says. */
export function assertMatches(schema: Schema, value: unknown, what: string): void {
  const validate = validators.get(schema) ?? ajv.compile(schema)
  validators.set(schema, validate)
  assert.ok(
    validate(value),
    `${what}: ${ajv.errorsText(validate.errors)}\n${JSON.stringify(value)}`,
  )
}

/** Fails when a reply has a status or a body that the document does not know for the route. */
export function assertDocumented(
  document: OpenApi,
  route: string,
  method: string,
  status: number,
  text: string,
): void {
  const operation = document.paths[route]?.[method]
  assert.ok(operation !== undefined, `${method} ${route} is not in the document`)
  const response = operation.responses[String(status)]
  assert.ok(response !== undefined, `${method} ${route} answered ${status}: ${text}`)
  const schema = response.content?.['application/json']?.schema
  assert.ok(schema !== undefined, `${method} ${route} ${status} has no schema`)
  assertMatches(schema, JSON.parse(text), `${method} ${route} ${status}`)
}
