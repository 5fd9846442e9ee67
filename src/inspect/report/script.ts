/** What the page does in a browser: it sorts, filters and groups the rows that are there. JavaScript as text: no build step, no types of the DOM. */
export const script = `
(() => {
  const compare = new Intl.Collator(undefined, { numeric: true }).compare;
  const textOf = (row, column) => row.cells[column].textContent;
  const filter = document.querySelector('#filter');
  const tables = [...document.querySelectorAll('table')].map((element) => ({
    element,
    rows: [...element.querySelectorAll('tbody tr')],
    sort: null,
    group: null,
  }));

  const groupRow = (name, columns, count) => {
    const row = document.createElement('tr');
    row.className = 'group';
    const head = document.createElement('th');
    head.scope = 'rowgroup';
    head.colSpan = columns;
    head.textContent = name + ' (' + count + ')';
    row.append(head);
    return row;
  };

  const show = ({ element, rows, sort, group }) => {
    const wanted = filter.value.toLowerCase();
    const shown = rows.filter((row) => row.textContent.toLowerCase().includes(wanted));
    if (sort !== null) shown.sort((a, b) => sort.direction * compare(textOf(a, sort.column), textOf(b, sort.column)));
    const groups = group === null ? [['', shown]] : [...Map.groupBy(shown, (row) => textOf(row, group))];
    groups.sort(([a], [b]) => compare(a, b));
    for (const body of [...element.tBodies]) body.remove();
    for (const [name, own] of groups) {
      const body = document.createElement('tbody');
      if (group !== null) body.append(groupRow(name, element.tHead.rows[0].cells.length, own.length));
      body.append(...own);
      element.append(body);
    }
    document.querySelector('[data-count="' + element.id + '"]').textContent =
      shown.length === rows.length ? rows.length : shown.length + ' of ' + rows.length;
  };

  for (const table of tables) {
    const heads = [...table.element.querySelectorAll('thead th')];
    for (const [column, head] of heads.entries())
      head.querySelector('button').addEventListener('click', () => {
        const isAgain = table.sort !== null && table.sort.column === column;
        table.sort = { column, direction: isAgain ? -table.sort.direction : 1 };
        for (const other of heads) other.removeAttribute('aria-sort');
        head.setAttribute('aria-sort', table.sort.direction > 0 ? 'ascending' : 'descending');
        show(table);
      });
    const choice = document.querySelector('[data-group="' + table.element.id + '"]');
    if (choice !== null)
      choice.addEventListener('change', () => {
        table.group = choice.value === '' ? null : Number(choice.value);
        show(table);
      });
  }
  filter.addEventListener('input', () => tables.forEach(show));
  document.documentElement.classList.remove('no-script');
})();
`;
