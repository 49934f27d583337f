// Requests are validated by the very schemas that document them. This file says how strictly, and how a
// problem is told: the 422 body that clients of FastAPI services already read.
import Ajv, { type ErrorObject, type ValidateFunction } from 'ajv'
import type { FastifySchemaCompiler, FastifySchemaValidationError } from 'fastify'
import type { Static, TSchema } from 'typebox'

const common = {
  allErrors: true,
  verbose: true,
  strict: false,
  useDefaults: true,
  formats: { unicode: (text: string) => text.isWellFormed(), 'date-time': true },
} as const

// Bodies say what type a value has; a path or a query is text, from which numbers are read.
// A text such as 1e309 becomes Infinity, to which Ajv applies the bounds only when it is not strict about numbers.
const bodies = new Ajv.default({ ...common, coerceTypes: false, strictNumbers: true })
const texts = new Ajv.default({ ...common, coerceTypes: true, strictNumbers: false })
// Of what is not a request nobody is told each problem: the first one ends it, and nothing is changed.
const others = new Ajv.default({
  ...common,
  allErrors: false,
  verbose: false,
  useDefaults: false,
  strictNumbers: true,
})

/** The validator of a part of a request. */
export const compileValidator: FastifySchemaCompiler<TSchema> = ({ schema, httpPart }) =>
  whenNeeded(httpPart === 'body' ? bodies : texts, schema)

/** A validator that is compiled for its first value: all of them at once would slow the start down. */
function whenNeeded(ajv: Ajv.default, schema: TSchema) {
  let compiled: ValidateFunction | undefined
  function isValid(value: unknown): boolean {
    compiled ??= ajv.compile(schema)
    const result = compiled(value)
    isValid.errors = compiled.errors ?? null
    return result
  }
  isValid.errors = null as ErrorObject[] | null
  return isValid
}

/** One entry of a 422 body. */
export type ValidationProblem = {
  readonly type: string
  readonly loc: readonly (string | number)[]
  readonly msg: string
  readonly input: unknown
}

/** Input that was understood and is not accepted. */
export class InvalidInput extends Error {
  readonly problems: readonly ValidationProblem[]

  constructor(problems: readonly ValidationProblem[]) {
    super('The input is not accepted')
    this.name = 'InvalidInput'
    this.problems = problems
  }
}

/** Returns the problems of a value, or undefined when it is as the schema says. */
export type Check = (value: unknown) => ValidationProblem[] | undefined

/** The check of values that come as JSON, compiled for the first one. */
export function compileCheck(schema: TSchema): Check {
  const isValid = whenNeeded(bodies, schema)
  return (value) =>
    isValid(value) ? undefined : (isValid.errors ?? []).map((error) => problemOf(error, 'body'))
}

/** Whether a value that comes as JSON is as a schema says; it is compiled once and kept for ever, so it should be a constant. */
export function isOfSchema<T extends TSchema>(schema: T, value: unknown): value is Static<T> {
  return others.validate(schema, value)
}

const places: Readonly<Record<string, string>> = {
  body: 'body',
  params: 'path',
  querystring: 'query',
  headers: 'header',
}

/** The problems of a failed validation. */
export function validationProblems(
  errors: readonly FastifySchemaValidationError[],
  part: string | undefined,
): ValidationProblem[] {
  const place = places[part ?? 'body'] ?? 'body'
  return errors.map((error) => problemOf(error as ErrorObject, place))
}

function problemOf(error: ErrorObject, place: string): ValidationProblem {
  const path = error.instancePath.split('/').slice(1)
  const params: Readonly<Record<string, unknown>> = error.params
  const base = { loc: [place, ...path], input: shorten(error.data) }
  const limit = String(params.limit)
  switch (error.keyword) {
    case 'required':
      return {
        ...base,
        type: 'missing',
        loc: [place, ...path, String(params.missingProperty)],
        msg: 'Field required',
      }
    case 'type':
      return { ...base, ...typeProblem(String(params.type), error.data) }
    case 'minimum':
      return {
        ...base,
        type: 'greater_than_equal',
        msg: `Input should be greater than or equal to ${limit}`,
      }
    case 'maximum':
      return {
        ...base,
        type: 'less_than_equal',
        msg: `Input should be less than or equal to ${limit}`,
      }
    case 'exclusiveMinimum':
      return { ...base, type: 'greater_than', msg: `Input should be greater than ${limit}` }
    case 'minLength':
      return {
        ...base,
        type: 'string_too_short',
        msg: `String should have at least ${limit} character${limit === '1' ? '' : 's'}`,
      }
    case 'maxLength':
      return {
        ...base,
        type: 'string_too_long',
        msg: `String should have at most ${limit} characters`,
      }
    case 'pattern':
      return {
        ...base,
        type: 'string_pattern_mismatch',
        msg: `String should match pattern '${String(params.pattern)}'`,
      }
    case 'enum':
      return {
        ...base,
        type: 'enum',
        msg: `Input should be one of ${allowed(params).join(', ')}`,
      }
    case 'format':
      return { ...base, type: 'string_unicode', msg: 'Input should be well-formed Unicode text' }
    default:
      return { ...base, type: error.keyword, msg: `Input ${error.message ?? 'is not accepted'}` }
  }
}

function typeProblem(expected: string, input: unknown): { type: string; msg: string } {
  if (expected === 'object')
    return input == null
      ? { type: 'missing', msg: 'A JSON object is required' }
      : { type: 'model_attributes_type', msg: 'Input should be a JSON object' }
  if (typeof input === 'number' && !Number.isFinite(input))
    return { type: 'finite_number', msg: 'Input should be a finite number' }
  if (expected === 'integer')
    return typeof input === 'number'
      ? { type: 'int_from_float', msg: 'Input should be a whole number' }
      : { type: 'int_type', msg: 'Input should be a whole number, not a text or anything else' }
  if (expected === 'number')
    return { type: 'float_type', msg: 'Input should be a number, not a text or anything else' }
  return { type: `${expected}_type`, msg: `Input should be a ${expected}` }
}

function allowed(params: Readonly<Record<string, unknown>>): string[] {
  const values = params.allowedValues
  return Array.isArray(values) ? values.map(String) : []
}

const longestShown = 100

/** What came, small enough to send back: never a tree of the client's making. */
function shorten(input: unknown): unknown {
  if (typeof input === 'string')
    return input.length > longestShown
      ? `${input.slice(0, longestShown).toWellFormed()}…`
      : input.toWellFormed()
  if (typeof input === 'number' && !Number.isFinite(input)) return String(input)
  if (Array.isArray(input)) return `an array of ${input.length}`
  return typeof input === 'object' && input !== null ? 'an object' : (input ?? null)
}
