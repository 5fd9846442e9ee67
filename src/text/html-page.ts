/** Pages that need no network and may not use one: https://www.w3.org/TR/CSP3/ */
import { createHash } from 'node:crypto';
import { Html, html } from './html.ts';

export interface PageParts {
  readonly title: string;
  /** CSS. */
  readonly style: string;
  readonly body: Html;
  /** JavaScript, run in order after the body is there. The last one removes the class `no-script` of the root element. */
  readonly scripts: readonly string[];
}

export function htmlPage({ title, style, body, scripts }: PageParts): string {
  const policy = `default-src 'none'; style-src ${hashOf(style)}; script-src ${scripts.map(hashOf).join(' ')}`;
  return html`<!doctype html>
    <html lang="en" class="no-script">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta http-equiv="Content-Security-Policy" content="${new Html(policy)}" />
        <title>${title} - transship</title>
        ${element('style', style)}
      </head>
      <body>
        ${body} ${scripts.map((script) => element('script', script))}
      </body>
    </html> `.text;
}

/** Made without a template: the hash is that of the exact text, and a formatter may move the text of a template. */
function element(name: 'style' | 'script', text: string): Html {
  if (text.includes(`</${name}`)) throw new Error(`the text of a ${name} would end it`);
  return new Html(`<${name}>${text}</${name}>`);
}

/** https://www.w3.org/TR/CSP3/#grammardef-hash-source */
function hashOf(text: string): string {
  return `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
}
