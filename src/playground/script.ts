/** What the page does: it decides whatever is typed, by the engine in the global `transship`. JavaScript as text, without types of the DOM. */
export const script = `
(() => {
  const byId = (id) => document.getElementById(id);
  const [policy, input, namespace] = ['policy', 'input', 'namespace'].map(byId);
  const made = (name, text, className) => {
    const element = document.createElement(name);
    element.textContent = text;
    if (className) element.className = className;
    return element;
  };

  const numberLines = (editor, gutter, findings) => {
    const worst = new Map();
    for (const { line, severity } of findings) if (worst.get(line) !== 'error') worst.set(line, severity);
    const count = editor.value.split('\\n').length;
    const lines = Array.from({ length: count }, (_, index) => made('div', index + 1, worst.get(index + 1)));
    gutter.replaceChildren(...lines);
    gutter.scrollTop = editor.scrollTop;
  };

  const goTo = (editor, line, column) => {
    const before = editor.value.split('\\n').slice(0, line - 1).join('\\n').length + (line > 1 ? 1 : 0);
    editor.focus();
    editor.setSelectionRange(before + column - 1, before + column - 1);
    editor.scrollTop = Math.max(0, (line - 5) * editor.scrollHeight / editor.value.split('\\n').length);
  };

  const showFindings = (findings) => {
    byId('findings').replaceChildren(
      ...findings.map(({ severity, line, column, message, code }) => {
        const item = document.createElement('li');
        const button = made('button', '', '');
        button.type = 'button';
        button.append(made('strong', severity, severity + '-text'), ' in line ' + line + ': ' + message + ' (' + code + ')');
        button.addEventListener('click', () => goTo(policy, line, column));
        item.append(button);
        return item;
      }),
    );
  };

  const row = ({ image, outcome, rule, result, pullSecrets, reason }) => {
    const element = document.createElement('tr');
    const name = made('td', image);
    const becomes = made('td', result === null ? 'stays' : result);
    if (pullSecrets.length > 0) becomes.append(made('span', 'with pull secrets ' + pullSecrets.join(', '), 'weak'));
    const why = made('td', outcome, outcome === 'rewritten' ? 'good' : outcome === 'invalid' || outcome === 'refused' ? 'error-text' : '');
    why.append(made('span', reason, 'weak'));
    element.append(name, becomes, made('td', rule === null ? '-' : rule), why);
    return element;
  };

  const show = () => {
    const { findings, images, problem } = transship.play(policy.value, input.value, namespace.value.trim());
    numberLines(policy, byId('policy-lines'), findings);
    numberLines(input, byId('input-lines'), []);
    showFindings(findings);
    const errors = findings.filter(({ severity }) => severity === 'error').length;
    const counted = (count, noun) => count + ' ' + noun + (count === 1 ? '' : 's');
    byId('policy-status').textContent =
      errors > 0
        ? counted(errors, 'error') + ': the policy is not used'
        : 'The policy is valid, ' + counted(findings.length, 'warning');
    byId('input-status').textContent =
      problem !== null
        ? problem
        : errors > 0
          ? 'Nothing is decided until the policy is valid'
          : images.filter(({ outcome }) => outcome === 'rewritten').length + ' of ' + counted(images.length, 'image') + ' rewritten';
    byId('decisions').replaceChildren(...images.map(row));
  };

  let timer;
  for (const element of [policy, input, namespace])
    element.addEventListener('input', () => {
      clearTimeout(timer);
      timer = setTimeout(show, 60);
    });
  for (const [editor, gutter] of [[policy, byId('policy-lines')], [input, byId('input-lines')]])
    editor.addEventListener('scroll', () => { gutter.scrollTop = editor.scrollTop; });
  document.documentElement.classList.remove('no-script');
  show();
})();
`;
