// The pages as bytes: who gets which, with what policy, and nothing that is not meant to be read.
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { head, rawRequest } from '../support/raw-http.ts'
import { assertNoInsides } from '../support/refusal.ts'
import { sharedGateway } from '../support/shared-gateway.ts'

const { gateway } = await sharedGateway()
const { url } = gateway
const asBrowser = { accept: 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8' }

/** Paths that reach for files that are none of the pages. */
const outside = [
  '/web/',
  '/web/..',
  '/web/../package.json',
  '/web/%2e%2e/package.json',
  '/web/..%2fpackage.json',
  '/web/..%5cpackage.json',
  '/web/%252e%252e/package.json',
  '/web//etc/passwd',
  '/web/%2fetc/passwd',
  '/web/.git/config',
  '/web/assets/x.js%00.css',
  '/web/%ff',
  `/web/${'a'.repeat(5000)}`,
  '/docs/static/../../package.json',
  '/docs/static/..%2f..%2fpackage.json',
  '/redoc/../package.json',
  '/package.json',
  '/.env',
]

/** The script and the style of the desk. */
async function deskFiles(): Promise<readonly string[]> {
  const page = await (await fetch(url, { headers: asBrowser })).text()
  return [...page.matchAll(/(?:src|href)="(\/web\/[^"]+)"/g)].map(([, file]) => file ?? '')
}

suite('/', () => {
  test('is a page for a browser and JSON for a program, and caches know', async () => {
    const page = await fetch(url, { headers: asBrowser })
    assert.match(page.headers.get('content-type') ?? '', /^text\/html/)
    assert.match(await page.text(), /<title>Floor · AI PBX Gateway<\/title>/)
    const json = await fetch(url, { headers: { accept: 'application/json' } })
    assert.match(json.headers.get('content-type') ?? '', /^application\/json/)
    for (const { headers } of [page, json]) assert.equal(headers.get('vary'), 'accept')
  })
})

suite('a page', () => {
  for (const path of ['/', '/docs', '/docs/', '/redoc'])
    test(`${path} lets its browser ask no other host, and loads only what is here`, async () => {
      const response = await fetch(url + path, { headers: asBrowser })
      assert.equal(response.status, 200)
      const policy = response.headers.get('content-security-policy') ?? ''
      assert.match(policy, /^default-src 'none'; script-src 'self'; style-src 'self'/)
      assert.match(policy, /frame-ancestors 'none'/)
      assert.doesNotMatch(policy, /https?:|\*|upgrade-insecure-requests|unsafe-eval/)
      const html = await response.text()
      const links = [...html.matchAll(/(?:src|href|spec-url)="([^"]+)"/g)].map(([, link]) => link)
      assert.ok(links.length >= 2)
      for (const link of links) {
        if (link?.startsWith('data:')) continue
        const target = new URL(link ?? '', response.url)
        assert.equal(target.origin, url)
        assert.equal((await fetch(target)).status, 200, link)
      }
    })

  test('/openapi.json is what Swagger UI reads, too', async () => {
    const documents = await Promise.all(
      ['/openapi.json', '/docs/json'].map(async (path) => (await fetch(url + path)).json()),
    )
    assert.deepEqual(documents[0], documents[1])
  })

  test("ReDoc's script holds no address to load anything from", async () => {
    const script = await (await fetch(`${url}/redoc/redoc.standalone.js`)).text()
    assert.ok(script.length > 500_000)
    assert.doesNotMatch(script, /cdn\.|fonts\.g/)
  })
})

suite('a file', () => {
  test('of the desk says its type, is kept by the browser, and is not to be guessed', async () => {
    const page = await fetch(url, { headers: asBrowser })
    assert.equal(page.headers.get('cache-control'), 'no-cache')
    const files = await deskFiles()
    assert.deepEqual(files.map((file) => file.split('.').at(-1)).toSorted(), ['css', 'js'])
    for (const file of files) {
      const response = await fetch(url + file)
      assert.match(response.headers.get('content-type') ?? '', /javascript|css/)
      assert.equal(response.headers.get('x-content-type-options'), 'nosniff')
      assert.match(response.headers.get('cache-control') ?? '', /immutable/)
    }
  })

  test('of the desk loads nothing from elsewhere', async () => {
    for (const file of await deskFiles()) {
      const text = await (await fetch(url + file)).text()
      const addresses = [...text.matchAll(/https?:\/\/[^\s"'`)]+/g)].map(([address]) => address)
      // Names of XML namespaces look like addresses, and are none.
      assert.deepEqual(
        addresses.filter((address) => !address.startsWith('http://www.w3.org/')),
        [],
      )
    }
  })

  for (const path of outside)
    test(`beyond them is not served: ${path.slice(0, 40)}`, async () => {
      const reply = await rawRequest(url, [head('GET', path)])
      assert.ok(reply.status === 404 || reply.status === 422 || reply.status === 400, reply.headers)
      assertNoInsides(reply.body)
      assert.doesNotMatch(reply.body, /dependencies|root:/)
      const { detail } = JSON.parse(reply.body) as { detail: unknown }
      assert.ok(detail !== undefined)
    })

  for (const [name, value] of [
    ['range', 'bytes=99999999-'],
    ['range', 'bytes=9-1'],
    ['if-match', '"other"'],
    ['if-unmodified-since', 'Mon, 01 Jan 2001 00:00:00 GMT'],
    ['if-none-match', '"'],
    ['if-modified-since', 'yesterday'],
  ] as const)
    test(`asked for with ${name}: ${value} is no defect`, async () => {
      const response = await fetch(url + ((await deskFiles())[0] ?? ''), {
        headers: { [name]: value },
      })
      assert.ok(response.status < 500, String(response.status))
      await response.text()
    })
})

test('an unknown route is a 404 that names it, shortened', async () => {
  const response = await fetch(`${url}/v2/${'x'.repeat(500)}?secret=1`)
  assert.equal(response.status, 404)
  assert.deepEqual(await response.json(), {
    detail: `There is no GET /v2/${'x'.repeat(96)}…`,
    code: 'not_found',
  })
})

test('a known route with another method is a 404', async () => {
  for (const [method, path] of [
    ['PUT', '/health'],
    ['DELETE', '/v1/call/x/timeline'],
    ['PUT', '/v1/call/stream/x'],
    ['PATCH', '/'],
  ] as const) {
    const response = await fetch(url + path, { method })
    assert.equal(response.status, 404)
    assert.deepEqual(await response.json(), {
      detail: `There is no ${method} ${path}`,
      code: 'not_found',
    })
  }
})

test('none of it is a defect in the log', async () => {
  for (const path of outside) await rawRequest(url, [head('GET', path)])
  const defects = gateway.log.filter(({ level }) => level === 'error')
  assert.deepEqual(defects, [])
})
