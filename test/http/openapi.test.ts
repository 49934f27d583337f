import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { completeCall, getCall, sendPacket } from '../support/gateway.ts'
import { assertDocumented, assertMatches, readOpenApi, type Schema } from '../support/openapi.ts'
import { sharedGateway } from '../support/shared-gateway.ts'

const { gateway } = await sharedGateway()
const { url } = gateway
const document = await readOpenApi(url)

/** The routes of the contract and the statuses that it names for each. */
const contract: Readonly<Record<string, readonly number[]>> = {
  'post /v1/call/stream/{call_id}': [202, 409, 413, 415, 422, 503],
  'get /v1/call/stream/{call_id}': [101, 422, 426],
  'post /ingest/{call_id}': [200, 409, 413, 415, 422, 503],
  'post /v1/call/complete/{call_id}': [200, 400, 404, 422, 503],
  'get /v1/call/{call_id}': [200, 404, 422, 503],
  'delete /v1/call/{call_id}': [204, 404, 409, 422, 503],
  'get /v1/call/history': [200, 422, 503],
  'get /v1/floor': [200, 422, 503],
  'get /v1/events': [200, 422, 503],
  'get /v1/system': [200, 503],
  'post /v1/demo/calls': [202, 409, 413, 415, 422, 503],
  'post /v1/call/{call_id}/swap': [200, 404, 413, 415, 422, 503],
  'get /v1/call/{call_id}/timeline': [200, 404, 422, 503],
  'get /v1/call/{call_id}/recording.wav': [200, 206, 304, 404, 409, 416, 422, 503],
  'get /v1/call/{call_id}/peaks': [200, 404, 409, 422, 503],
  'get /v1/call/{call_id}/quality': [200, 404, 422, 503],
  'get /v1/call/{call_id}/transcript': [200, 404, 422, 503],
  'get /v1/call/{call_id}/usage': [200, 404, 422, 503],
  'post /v1/call/{call_id}/reprocess': [200, 404, 409, 422, 503],
  'post /v1/calls/reprocess': [200, 413, 415, 422, 503],
  'get /v1/providers': [200, 503],
  'put /v1/media/audiosocket/{uuid}': [200, 413, 415, 422, 503],
  'get /v1/media/audiosocket/{uuid}': [200, 404, 422, 503],
  'delete /v1/media/audiosocket/{uuid}': [204, 404, 422, 503],
  'get /media/asterisk': [101, 403, 426],
  'get /media/fonoster': [101, 403, 426],
  'get /media/freeswitch': [101, 403, 426],
  'get /media/genesys': [101, 403, 426],
  'get /media/jambonz': [101, 403, 426],
  'get /media/plivo': [101, 403, 426],
  'get /media/telnyx': [101, 403, 426],
  'get /media/twilio': [101, 403, 426],
  'get /media/vonage': [101, 403, 426],
  'get /health': [200, 503],
  'get /': [200],
  'get /stats': [200],
  'get /ws/stats': [200],
  'get /ws': [101, 422, 426],
  'get /ws/{client_id}': [101, 422, 426],
}

const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({
    route: `${method} ${path}`,
    path,
    operation,
  })),
)

function isSchema(value: unknown): value is Schema {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Every schema within a part of the document. */
function* schemasOf(part: unknown, name = ''): Generator<readonly [name: string, Schema]> {
  if (Array.isArray(part))
    for (const [index, item] of part.entries()) yield* schemasOf(item, `${name}/${index}`)
  if (!isSchema(part)) return
  if ('type' in part || 'anyOf' in part || 'enum' in part) yield [name, part]
  for (const [key, value] of Object.entries(part))
    if (!/^(examples?|default|enum|required)$/.test(key)) yield* schemasOf(value, `${name}/${key}`)
}

suite('the document', () => {
  test('is OpenAPI 3.1, with the name and the version of the gateway', async () => {
    assert.equal(document.openapi, '3.1.0')
    assert.equal(document.info.title, 'AI PBX Gateway')
    const root = (await (await fetch(url)).json()) as { version: string }
    assert.equal(document.info.version, root.version)
  })

  test('names every route of the contract, and no other', () => {
    assert.deepEqual(
      operations.map(({ route }) => route).toSorted(),
      Object.keys(contract).toSorted(),
    )
  })

  for (const { route, path, operation } of operations)
    suite(route, () => {
      test('has the statuses of the contract', () =>
        assert.deepEqual(Object.keys(operation.responses).map(Number), contract[route]))

      test('has a name, a summary, a known tag, and a meaning for each error', () => {
        assert.match(operation.operationId ?? '', /^[a-z][A-Za-z]+$/)
        assert.match(operation.summary ?? '', /\w/)
        const tags = document.tags.map(({ name }) => name)
        for (const tag of operation.tags ?? ['none']) assert.ok(tags.includes(tag), tag)
        for (const [status, { description }] of Object.entries(operation.responses))
          if (Number(status) >= 400) assert.match(description, /\w{3,} \w/)
      })

      test('describes each parameter of its path as required', () => {
        const named = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name)
        const described = (operation.parameters ?? []).filter(
          (parameter) => parameter.in === 'path',
        )
        assert.deepEqual(
          described.map(({ name, required }) => [name, required]),
          named.map((name) => [name, true]),
        )
        for (const parameter of operation.parameters ?? [])
          if (parameter.in === 'query') assert.equal(parameter.required, false, parameter.name)
      })

      test('has examples and defaults that its own schemas accept', () => {
        for (const { name, schema, example } of operation.parameters ?? [])
          if (example !== undefined) assertMatches(schema, example, name)
        const bodies = [operation.requestBody, ...Object.values(operation.responses)]
        for (const body of bodies)
          for (const { schema, example } of Object.values(body?.content ?? {}))
            if (schema !== undefined && example !== undefined)
              assertMatches(schema, example, 'the body')
        for (const [name, schema] of schemasOf(operation)) {
          const examples = Array.isArray(schema.examples) ? schema.examples : []
          for (const example of examples) assertMatches(schema, example, name)
          if ('default' in schema) assertMatches(schema, schema.default, name)
        }
      })
    })

  const stream = document.paths['/v1/call/stream/{call_id}']?.post
  const bodies = stream?.requestBody?.content ?? {}

  test('says in which two manners packets are posted', () =>
    assert.deepEqual(Object.keys(bodies), ['application/json', 'application/x-ndjson']))

  for (const [type, { example }] of Object.entries(bodies))
    test(`shows a packet in ${type} as an example that the gateway takes`, async () => {
      assert.ok(example !== undefined)
      const id = stream?.parameters?.find(({ name }) => name === 'call_id')?.example
      const response = await fetch(`${url}/v1/call/stream/${id}`, {
        method: 'POST',
        headers: { 'content-type': type },
        body: JSON.stringify(example),
      })
      assert.equal(response.status, 202)
    })
})

suite('what is documented is what is served', () => {
  const packet = { sequence: 1, data: 'audio chunk', timestamp: 1 }

  async function check(
    route: string,
    path: string,
    body?: unknown,
    method = 'get',
    type = 'application/json',
  ) {
    const init = {
      method: method.toUpperCase(),
      ...(body === undefined
        ? {}
        : { headers: { 'content-type': type }, body: JSON.stringify(body) }),
    }
    const response = await fetch(url + path, init)
    assertDocumented(document, route, method, response.status, await response.text())
    return response.status
  }

  test('for every status that a request alone can bring about', async () => {
    const stream = '/v1/call/stream/{call_id}'
    const complete = '/v1/call/complete/{call_id}'
    assert.equal(await check(stream, '/v1/call/stream/documented', packet, 'post'), 202)
    assert.equal(await check(stream, '/v1/call/stream/documented', {}, 'post'), 422)
    const huge = { ...packet, data: 'a'.repeat(2 ** 20) }
    assert.equal(await check(stream, '/v1/call/stream/documented', huge, 'post'), 413)
    for (const type of ['application/json', 'application/x-ndjson']) {
      const post = (body: unknown) => check(stream, '/v1/call/stream/lines', body, 'post', type)
      assert.equal(await post(packet), 202)
      assert.equal(await post([packet, {}]), 422)
    }
    assert.equal(await check(stream, '/v1/call/stream/listed', [packet, packet], 'post'), 202)
    assert.equal(await check(stream, '/v1/call/stream/x', packet, 'post', 'text/plain'), 415)
    assert.equal(await check(stream, '/v1/call/stream/x'), 426)
    assert.equal(await check(stream, '/v1/call/stream/_'), 422)
    assert.equal(await check(stream, '/v1/call/stream/x?track=both'), 422)
    assert.equal(await check('/ingest/{call_id}', '/ingest/documented', packet, 'post'), 200)
    assert.equal(await check('/ingest/{call_id}', '/ingest/%00', packet, 'post'), 422)
    assert.equal(await check(complete, '/v1/call/complete/documented', undefined, 'post'), 200)
    assert.equal(await check(complete, '/v1/call/complete/nobody', undefined, 'post'), 404)
    assert.equal(await check('/v1/call/{call_id}', '/v1/call/documented'), 200)
    assert.equal(await check('/v1/call/{call_id}', '/v1/call/nobody'), 404)
    assert.equal(await check('/v1/call/{call_id}', '/v1/call/_'), 422)
    const swap = '/v1/call/{call_id}/swap'
    assert.equal(await check(swap, '/v1/call/documented/swap', undefined, 'post'), 200)
    assert.equal(await check(swap, '/v1/call/documented/swap', { swapped: 1 }, 'post'), 422)
    assert.equal(await check(swap, '/v1/call/documented/swap', {}, 'post', 'text/plain'), 415)
    assert.equal(await check(swap, '/v1/call/nobody/swap', {}, 'post'), 404)
    const timeline = '/v1/call/{call_id}/timeline'
    assert.equal(await check(timeline, '/v1/call/documented/timeline'), 200)
    assert.equal(await check(timeline, '/v1/call/nobody/timeline'), 404)
    assert.equal(await check(timeline, '/v1/call/_/timeline'), 422)
    const announced = '/v1/media/audiosocket/{uuid}'
    const path = '/v1/media/audiosocket/40325ec2-5efd-4bd3-805f-53576e581d13'
    assert.equal(await check(announced, path), 404)
    assert.equal(await check(announced, path, undefined, 'delete'), 404)
    const announcement = { call_id: 'documented', track: 'inbound' }
    assert.equal(await check(announced, path, announcement, 'put'), 200)
    assert.equal(await check(announced, path, {}, 'put'), 422)
    assert.equal(await check(announced, path, announcement, 'put', 'text/plain'), 415)
    assert.equal(await check(announced, path), 200)
    const audio = ['quality', 'peaks', 'recording.wav']
    for (const [call, statuses] of [
      ['documented', [200, 409, 409]],
      ['nobody', [404, 404, 404]],
      ['_', [422, 422, 422]],
    ] as const)
      for (const [index, name] of audio.entries())
        assert.equal(
          await check(`/v1/call/{call_id}/${name}`, `/v1/call/${call}/${name}`),
          statuses[index],
        )
    assert.equal(await check('/v1/call/history', '/v1/call/history'), 200)
    assert.equal(await check('/v1/call/history', '/v1/call/history?limit=0'), 422)
    for (const path of ['/health', '/', '/stats', '/ws/stats'])
      assert.equal(await check(path, path), 200)
    assert.equal(await check('/ws', '/ws'), 426)
    assert.equal(await check('/ws', '/ws?after=-1'), 422)
    assert.equal(await check('/ws/{client_id}', '/ws/desk-3'), 426)
  })

  test('and no reply has a field that is not documented', async () => {
    await sendPacket(url, 'fields', 1)
    await completeCall(url, 'fields')
    const call = document.paths['/v1/call/{call_id}']?.get?.responses['200']
    const properties = call?.content?.['application/json']?.schema?.properties
    assert.deepEqual(
      Object.keys((await getCall(url, 'fields')).body),
      Object.keys(properties as object),
    )
  })
})
