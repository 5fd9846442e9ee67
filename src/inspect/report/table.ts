/** A table that the page's script can sort, filter and group; without the script it is a table. */
import { html, Html } from '../../text/html.ts';

export interface Column<Row> {
  readonly title: string;
  readonly value: (row: Row) => string | number;
  /** The page offers to group rows by it. */
  readonly canGroup?: true;
}

/** Empty without rows. `id` is unique in the page. */
export function table<Row>(id: string, title: string, columns: readonly Column<Row>[], rows: readonly Row[]): Html {
  if (rows.length === 0) return new Html('');
  const groups = columns.flatMap(({ title: name, canGroup }, index) => (canGroup ? [html`<option value="${index}">${name}</option>`] : []));
  const choice =
    groups.length === 0
      ? ''
      : html`<label class="choice"
          >Group by
          <select data-group="${id}">
            <option value="">nothing</option>
            ${groups}
          </select></label
        >`;
  return html`<section aria-labelledby="${id}-title">
    <h2 id="${id}-title">${title} <span class="count" data-count="${id}">${rows.length}</span></h2>
    ${choice}
    <div class="scroll" tabindex="0" role="group" aria-labelledby="${id}-title">
      <table id="${id}">
        <thead>
          <tr>
            ${columns.map((column) => html`<th scope="col"><button type="button">${column.title}</button></th>`)}
          </tr>
        </thead>
        <tbody>
          ${rows.map(
            (row) =>
              html`<tr>
                ${columns.map((column) => cell(column.value(row)))}
              </tr> `,
          )}
        </tbody>
      </table>
    </div>
  </section> `;
}

function cell(value: string | number): Html {
  return typeof value === 'number' ? html`<td class="number">${value}</td>` : html`<td>${value}</td>`;
}
