/** A real Chromium, Debian's package, for the pages that transship writes. */
import { existsSync } from 'node:fs';
import { chromium, type Page } from 'playwright-core';
import axe from 'axe-core';

const program = '/usr/bin/chromium';

/**
 * False when it is there, else the sentence for tap's `skip`.
 * With TRANSSHIP_REQUIRE_BROWSER=1, as in CI, nothing may be skipped: it throws instead.
 */
export function browserSkipReason(): string | false {
  if (existsSync(program)) return false;
  const reason = `there is no ${program}: apt-get install chromium (Debian)`;
  if (process.env['TRANSSHIP_REQUIRE_BROWSER'] === '1') throw new Error(reason);
  return reason;
}

export interface OpenPage {
  readonly page: Page;
  /** Addresses that it asked for, other than its own. */
  readonly requests: readonly string[];
  /** What it wrote to the console: errors of scripts, violations of its own policy. */
  readonly messages: readonly string[];
}

interface Scope {
  readonly teardown: (ended: () => unknown) => void;
}

export type ColourScheme = 'light' | 'dark';

/** Closed with the test. */
export async function openPage(t: Scope, url: string, colorScheme: ColourScheme = 'light'): Promise<OpenPage> {
  // Chromium refuses its sandbox to root, which CI is; the page is our own.
  const browser = await chromium.launch({ executablePath: program, chromiumSandbox: false });
  t.teardown(() => browser.close());
  const page = await browser.newPage({ colorScheme, viewport: { width: 1300, height: 1000 } });
  const requests: string[] = [];
  const messages: string[] = [];
  page.on('request', (request) => {
    if (request.url() !== url) requests.push(request.url());
  });
  page.on('console', (message) => messages.push(message.text()));
  page.on('pageerror', (error) => messages.push(error.message));
  await page.goto(url);
  return { page, requests, messages };
}

/**
 * What axe finds wrong with the page, by every rule of WCAG 2.2 AA and its best practices: `RULE: ELEMENT`. https://www.deque.com/axe/
 * It fetches no style sheets, which a page opened as a file may not do: no rule that is on needs them.
 * @param rules all of them unless told
 */
export async function accessibilityProblems(page: Page, rules?: readonly string[]): Promise<string[]> {
  await page.evaluate(axe.source);
  const settings = { preload: false, resultTypes: ['violations'], ...(rules === undefined ? {} : { runOnly: rules }) };
  const found: { violations: { id: string; nodes: { html: string }[] }[] } = await page.evaluate(`axe.run(${JSON.stringify(settings)})`);
  return found.violations.flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.html}`));
}
