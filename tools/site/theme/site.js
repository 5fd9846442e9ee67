/** Search, versions, colours and keys of the site. Everything else works without a script. */
const root = document.documentElement.dataset.root;
const version = document.documentElement.dataset.version;

/* Versions: versions.js stands beside the folder of each version. */
const all = globalThis.versions ?? [version];
function linkTo(folder, text) {
  const link = document.createElement('a');
  link.href = `${root}../${folder}/index.html`;
  link.textContent = text;
  return link;
}
document.querySelector('.versions ul').append(
  ...all.map((name) => {
    const item = document.createElement('li');
    const link = linkTo(name, name === all[0] ? `${name} (latest)` : name);
    if (name === version) link.setAttribute('aria-current', 'true');
    item.append(link);
    return item;
  }),
);
const old = document.querySelector('.old');
old.hidden = all[0] === version;
if (!old.hidden) old.append(`This page is of version ${version}, which is not the latest. `, linkTo('latest', `Go to ${all[0]}`));

/* Colours. */
const theme = document.querySelector('#theme');
theme.value = document.documentElement.style.colorScheme;
theme.addEventListener('change', () => {
  document.documentElement.style.colorScheme = theme.value;
  try {
    localStorage.setItem('theme', theme.value);
  } catch {}
});

/* What is wider than its column is scrolled with the keyboard too. */
const wide = document.querySelectorAll('main pre, main .table');
const mark = () => {
  for (const element of wide)
    if (element.scrollWidth > element.clientWidth) element.tabIndex = 0;
    else element.removeAttribute('tabindex');
};
mark();
addEventListener('resize', mark);
if (matchMedia('(max-width: 60rem)').matches) document.querySelector('.pages details').open = false;

/* Search: the index is made from the text of all pages when the reader first goes to the field. */
const field = document.querySelector('#search');
const results = document.querySelector('#results');
const shown = 12;
let index = null;

const load = (name) =>
  new Promise((done, failed) => {
    const script = document.createElement('script');
    script.src = root + name;
    script.addEventListener('load', done);
    script.addEventListener('error', failed);
    document.head.append(script);
  });

async function startIndex() {
  await Promise.all(['minisearch.js', 'search-documents.js'].map(load));
  const made = new MiniSearch({
    idField: 'url',
    fields: ['page', 'title', 'text'],
    storeFields: ['url', 'page', 'title', 'text'],
    searchOptions: { prefix: true, fuzzy: 0.15, combineWith: 'AND', boost: { page: 4, title: 3 } },
  });
  made.addAll(searchDocuments);
  return made;
}

/** Some words around the first that was found. */
function excerpt({ text, terms }) {
  const at = terms.map((term) => text.toLowerCase().indexOf(term)).filter((place) => place >= 0);
  const from = at.length === 0 ? 0 : Math.max(0, Math.min(...at) - 40);
  return (from > 0 ? '… ' : '') + text.slice(from, from + 140);
}

function itemOf(found) {
  const item = document.createElement('li');
  const link = document.createElement('a');
  link.href = root + found.url;
  const name = document.createElement('strong');
  name.textContent = found.page === found.title ? found.page : `${found.page}: ${found.title}`;
  const text = document.createElement('span');
  text.textContent = excerpt(found);
  link.append(name, text);
  item.append(link);
  return item;
}

async function search() {
  index ??= startIndex();
  const words = field.value.trim();
  const found = (await index).search(words);
  if (words !== field.value.trim()) return;
  const count = document.createElement('p');
  count.setAttribute('role', 'status');
  count.textContent = found.length === 0 ? 'Nothing found' : found.length === 1 ? '1 result' : `${found.length} results`;
  const list = document.createElement('ul');
  list.append(...found.slice(0, shown).map(itemOf));
  results.replaceChildren(count, ...(found.length === 0 ? [] : [list]));
  results.hidden = words === '';
}

function close() {
  results.hidden = true;
  field.value = '';
}

field.addEventListener('focus', () => (index ??= startIndex()));
field.addEventListener('input', search);
results.addEventListener('click', close);

/** The arrows go from the field through the results and back. */
function move(step) {
  const stops = [field, ...results.querySelectorAll('a')];
  const to = stops.indexOf(document.activeElement) + step;
  stops[Math.max(0, Math.min(to, stops.length - 1))].focus();
}

addEventListener('keydown', (event) => {
  const isTyping = event.target.matches('input, select, textarea');
  if (event.key === '/' && !isTyping && !event.ctrlKey && !event.metaKey && !event.altKey) {
    event.preventDefault();
    field.focus();
  } else if (event.key === 'Escape' && !results.hidden) {
    close();
    field.focus();
  } else if ((event.key === 'ArrowDown' || event.key === 'ArrowUp') && document.querySelector('search').contains(event.target)) {
    event.preventDefault();
    move(event.key === 'ArrowDown' ? 1 : -1);
  } else if (event.key === 'Enter' && event.target === field) results.querySelector('a')?.click();
});
