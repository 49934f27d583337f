// A real Chromium, as a supervisor has it, and pages that remember everything that went wrong in them.
import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core'

const installedChromium = process.env.CHROMIUM_PATH ?? '/usr/bin/chromium'

/** A name that is not this machine to a browser: what works there works on any host of a network. */
export const otherHost = 'gateway.test'

/** A browser, closed at the end of the scope (`await using`). */
export async function openBrowser(
  executablePath = installedChromium,
): Promise<Browser & AsyncDisposable> {
  if (!existsSync(executablePath))
    throw new Error(
      `The tests of the pages need Chromium, and ${executablePath} is not there. ` +
        'Install it (Debian: apt-get install chromium), or set CHROMIUM_PATH to one.',
    )
  const browser = await chromium.launch({
    executablePath,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      '--no-first-run',
      `--host-resolver-rules=MAP ${otherHost} 127.0.0.1`,
    ],
  })
  return Object.assign(browser, { [Symbol.asyncDispose]: () => browser.close() })
}

/** A page, and what went wrong in it. */
export type WatchedPage = {
  readonly page: Page
  /** Console errors, exceptions and violations of the content security policy. */
  readonly problems: string[]
  /** The hosts that it asked for anything. */
  readonly hosts: Set<string>
}

/** Opens an empty page of 1280 by 800 pixels. */
export async function openPage(
  browser: Browser,
  options: BrowserContextOptions = {},
): Promise<WatchedPage> {
  const context = await browser.newContext({
    viewport: { width: 1280, height: 800 },
    locale: 'en-GB',
    ...options,
  })
  const page = await context.newPage()
  const problems: string[] = []
  const hosts = new Set<string>()
  page.on('console', (message) => {
    if (message.type() === 'error') problems.push(`console: ${message.text()}`)
  })
  page.on('pageerror', (error) => problems.push(`exception: ${error.message}`))
  page.on('request', (request) => {
    const { protocol, host } = new URL(request.url())
    if (protocol !== 'data:' && protocol !== 'blob:') hosts.add(host)
  })
  await page.exposeFunction('reportViolation', (text: string) => problems.push(`policy: ${text}`))
  await page.addInitScript(
    `document.addEventListener('securitypolicyviolation', (event) =>
       reportViolation(event.violatedDirective + ' ' + event.blockedURI))`,
  )
  return { page, problems, hosts }
}

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
const rules = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']

/** What axe finds wrong in a page as it is now: the rule, what it wants, and the elements. */
export async function accessibilityProblems(page: Page): Promise<readonly string[]> {
  await page.evaluate(axe)
  return await page.evaluate<string[]>(
    `axe.run(document, { runOnly: ${JSON.stringify(rules)} }).then(({ violations }) =>
       violations.map(({ id, help, nodes }) => id + ': ' + help + ' ' + nodes.map(({ html }) => html).slice(0, 3)))`,
  )
}
