/** The playground: a policy at the left, images or manifests at the right, and what becomes of them. One file without a network. */
import { html, type Html } from '../text/html.ts';
import { htmlPage } from '../text/html-page.ts';
import { engineScript } from './engine-script.ts';
import { script } from './script.ts';
import { style } from './style.ts';

const images = `nginx:1.27
quay.io/acme/app:2.0
quay.io/acme/public/base
registry.k8s.io/pause:3.10
ghcr.io/other/tool:3
`;

/** @param policy what the page begins with */
export async function playgroundPage(policy: string): Promise<string> {
  const body = html`<header>
      <h1>transship playground</h1>
      <p class="weak">Decided in this page by the engine of the webhook. Nothing that you type leaves it.</p>
    </header>
    <main>
      <section aria-labelledby="policy-title">
        <h2 id="policy-title"><label for="policy">Policy</label></h2>
        ${editor('policy', policy)}
        <p id="policy-status" role="status"></p>
        <ul id="findings" aria-label="Findings"></ul>
      </section>
      <section aria-labelledby="input-title">
        <h2 id="input-title"><label for="input">Images, one a line, or manifests</label></h2>
        ${editor('input', images)}
        <p>
          <label
            >Namespace, where a manifest states none <input id="namespace" value="default" autocomplete="off" spellcheck="false"
          /></label>
        </p>
        <p id="input-status" role="status"></p>
        <table aria-label="Decisions">
          <thead>
            <tr>
              <th scope="col">Image</th>
              <th scope="col">Becomes</th>
              <th scope="col">Rule</th>
              <th scope="col">Outcome</th>
            </tr>
          </thead>
          <tbody id="decisions"></tbody>
        </table>
      </section>
    </main>`;
  return htmlPage({ title: 'Playground', style, body, scripts: [await engineScript(), script] });
}

/** A parser drops a line break after the tag, so the text has one more: https://html.spec.whatwg.org/multipage/syntax.html#element-restrictions */
function editor(id: string, text: string): Html {
  return html`<div class="editor">
    <div class="gutter" id="${id}-lines" aria-hidden="true"></div>
    <textarea id="${id}" spellcheck="false" autocomplete="off" wrap="off">${`\n${text}`}</textarea>
  </div>`;
}
