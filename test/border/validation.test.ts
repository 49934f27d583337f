// How a request that is not accepted is told: the 422 body that clients of FastAPI services already read.
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import type { ErrorObject } from 'ajv'
import Type, { type TSchema } from 'typebox'
import {
  compileValidator,
  isOfSchema,
  type ValidationProblem,
  validationProblems,
} from '../../src/border/validation.ts'

const schema = Type.Object({
  sequence: Type.Integer({ minimum: 0, maximum: 10 }),
  data: Type.String({ minLength: 1, maxLength: 5, format: 'unicode' }),
  timestamp: Type.Number({ exclusiveMinimum: 0 }),
  track: Type.Optional(Type.Enum(['inbound', 'outbound'])),
  id: Type.Optional(Type.String({ pattern: '^[a-z]+$' })),
  nested: Type.Optional(Type.Object({ deep: Type.Boolean() })),
})
const good = { sequence: 1, data: 'x', timestamp: 1 }

function problemsOf(part: string, value: unknown, of: TSchema = schema): ValidationProblem[] {
  const validate = compileValidator({
    schema: of,
    method: 'POST',
    url: '/',
    httpPart: part,
  }) as unknown as ((value: unknown) => boolean) & { errors?: ErrorObject[] }
  if (validate(value)) return []
  return validationProblems((validate.errors ?? []) as never, part)
}

type Case = readonly [
  name: string,
  body: unknown,
  problem: Pick<ValidationProblem, 'type' | 'loc' | 'msg'> & { readonly input: unknown },
]

const cases: readonly Case[] = [
  [
    'a field that is not there',
    { data: 'x', timestamp: 1 },
    { type: 'missing', loc: ['body', 'sequence'], msg: 'Field required', input: 'an object' },
  ],
  [
    'a text for a number',
    { ...good, timestamp: '1' },
    {
      type: 'float_type',
      loc: ['body', 'timestamp'],
      msg: 'Input should be a number, not a text or anything else',
      input: '1',
    },
  ],
  [
    'a text for a whole number',
    { ...good, sequence: '1' },
    {
      type: 'int_type',
      loc: ['body', 'sequence'],
      msg: 'Input should be a whole number, not a text or anything else',
      input: '1',
    },
  ],
  [
    'a fraction',
    { ...good, sequence: 1.5 },
    {
      type: 'int_from_float',
      loc: ['body', 'sequence'],
      msg: 'Input should be a whole number',
      input: 1.5,
    },
  ],
  [
    'a number without end',
    { ...good, timestamp: Number.POSITIVE_INFINITY },
    {
      type: 'finite_number',
      loc: ['body', 'timestamp'],
      msg: 'Input should be a finite number',
      input: 'Infinity',
    },
  ],
  [
    'too small',
    { ...good, sequence: -1 },
    {
      type: 'greater_than_equal',
      loc: ['body', 'sequence'],
      msg: 'Input should be greater than or equal to 0',
      input: -1,
    },
  ],
  [
    'too large',
    { ...good, sequence: 11 },
    {
      type: 'less_than_equal',
      loc: ['body', 'sequence'],
      msg: 'Input should be less than or equal to 10',
      input: 11,
    },
  ],
  [
    'not above the bound',
    { ...good, timestamp: 0 },
    {
      type: 'greater_than',
      loc: ['body', 'timestamp'],
      msg: 'Input should be greater than 0',
      input: 0,
    },
  ],
  [
    'too short',
    { ...good, data: '' },
    {
      type: 'string_too_short',
      loc: ['body', 'data'],
      msg: 'String should have at least 1 character',
      input: '',
    },
  ],
  [
    'too long',
    { ...good, data: 'abcdef' },
    {
      type: 'string_too_long',
      loc: ['body', 'data'],
      msg: 'String should have at most 5 characters',
      input: 'abcdef',
    },
  ],
  [
    'half a character',
    { ...good, data: '\ud800' },
    {
      type: 'string_unicode',
      loc: ['body', 'data'],
      msg: 'Input should be well-formed Unicode text',
      input: '\ufffd',
    },
  ],
  [
    'none of the choices',
    { ...good, track: 'agent' },
    {
      type: 'enum',
      loc: ['body', 'track'],
      msg: 'Input should be one of inbound, outbound',
      input: 'agent',
    },
  ],
  [
    'not of the pattern',
    { ...good, id: 'A' },
    {
      type: 'string_pattern_mismatch',
      loc: ['body', 'id'],
      msg: "String should match pattern '^[a-z]+$'",
      input: 'A',
    },
  ],
  [
    'deep within',
    { ...good, nested: { deep: 1 } },
    {
      type: 'boolean_type',
      loc: ['body', 'nested', 'deep'],
      msg: 'Input should be a boolean',
      input: 1,
    },
  ],
  [
    'no body',
    undefined,
    { type: 'missing', loc: ['body'], msg: 'A JSON object is required', input: null },
  ],
  [
    'a list for a body',
    [1, 2, 3],
    {
      type: 'model_attributes_type',
      loc: ['body'],
      msg: 'Input should be a JSON object',
      input: 'an array of 3',
    },
  ],
]

suite('the problem of a body', () => {
  for (const [name, body, problem] of cases)
    test(`${name}: ${problem.type}`, () => assert.deepEqual(problemsOf('body', body), [problem]))

  test('is told for each field at once', () => {
    const problems = problemsOf('body', { sequence: 'a', data: '', timestamp: null })
    assert.deepEqual(
      problems.map(({ loc }) => loc.at(-1)),
      ['sequence', 'data', 'timestamp'],
    )
  })

  test('shows no more than 100 characters of what came, and never a tree', () => {
    const [long] = problemsOf('body', { ...good, data: 'a'.repeat(1e6) })
    assert.equal(long?.input, `${'a'.repeat(100)}…`)
    const [tree] = problemsOf('body', { ...good, data: { a: { b: 'c' } } })
    assert.equal(tree?.input, 'an object')
    const [cut] = problemsOf('body', { ...good, data: `${'a'.repeat(99)}☎️😀` })
    assert.ok(String(cut?.input).isWellFormed())
  })
})

suite('the type of a value', () => {
  const number = Type.Object({ limit: Type.Integer({ minimum: 1, maximum: 1000, default: 100 }) })

  test('is taken from the text of a query and told as a problem of the query', () => {
    assert.deepEqual(problemsOf('querystring', { limit: '5' }, number), [])
    const [problem] = problemsOf('querystring', { limit: 'five' }, number)
    assert.deepEqual(problem?.loc, ['query', 'limit'])
    assert.equal(problem?.type, 'int_type')
  })

  for (const limit of ['Infinity', '-Infinity', '1e309', '-1e309', 'NaN', '', ' ', '1.5', '1,5'])
    test(`is not a whole number in a query's ${JSON.stringify(limit)}`, () =>
      assert.equal(problemsOf('querystring', { limit }, number).length, 1))

  test('is never guessed in a body', () => {
    for (const limit of ['5', true, null, [5]])
      assert.equal(problemsOf('body', { limit }, number).length, 1)
  })

  test('of a path is told as a problem of the path', () => {
    const path = Type.Object({ call_id: Type.String({ pattern: '^[a-z]+$' }) })
    const [problem] = problemsOf('params', { call_id: '../x' }, path)
    assert.deepEqual(problem?.loc, ['path', 'call_id'])
  })
})

test('what is no request is looked at until the first problem, and not changed', () => {
  const Scores = Type.Array(Type.Object({ score: Type.Number({ default: 1 }) }))
  let looks = 0
  const wrong = {
    get score() {
      looks += 1
      return 'high'
    },
  }
  assert.equal(
    isOfSchema(
      Scores,
      Array.from({ length: 1_000 }, () => wrong),
    ),
    false,
  )
  assert.ok(looks < 10, `${looks} looks at 1,000 wrong ones`)
  const empty = [{}]
  assert.equal(isOfSchema(Scores, empty), false)
  assert.deepEqual(empty, [{}])
  assert.equal(isOfSchema(Scores, [{ score: 0.5 }]), true)
})
