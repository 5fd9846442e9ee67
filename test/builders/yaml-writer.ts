/**
 * Manifests as people, charts and other programs write them: every style of YAML mixed at random. From one seed always the same text.
 * Each comment is another one, so that a test can look whether all of them are still there.
 */

/** A small generator of random numbers (mulberry32). */
export class Dice {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  below(limit: number): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % limit;
  }

  /** True in one of so many cases. */
  one(of: number): boolean {
    return this.below(of) === 0;
  }

  pick<T>(from: readonly T[]): T {
    const found = from[this.below(from.length)];
    if (found === undefined) throw new Error('nothing to pick from');
    return found;
  }
}

/** A value to write: a map as pairs, so that a key can stand twice. */
export type Value =
  | { readonly raw: string }
  | { readonly text: string }
  | { readonly pairs: readonly (readonly [string, Value])[] }
  | { readonly items: readonly Value[] };

export const images = [
  'nginx',
  'nginx:1.27',
  'always/a',
  'derive/d',
  'team/app:2',
  'quay.io/acme/app:1',
  'gcr.io/a/b',
  'redis',
  'localhost:30500/there',
  'always/b:1',
];
const odd =
  '0400 0o400 0644 on y no off True 0b11 1_000 12:30:45 1e3 1.50 .5 08 +7 -0x1f 9223372036854775807 18446744073709551615 2024-01-01 2001-12-14t21:59:43.10-05:00 ~ null 0777 1. 190:20:30 123456789012345678901234567890 -.5e2 "0400" \'on\' !!str~1 !!int~"3" !!float~3 !local~7 a#b http://x.y/z?a=b&c -a ?b :c'
    .split(' ')
    .map((word) => word.replace('~1', ' 1').replace(/~(?=.)/, ' '));
const policies = ['Always', 'IfNotPresent', 'Never'];

/** Writes one value; anchors and comments are counted over the whole text. */
export class YamlWriter {
  readonly #dice: Dice;
  #comments = 0;
  #anchors = 0;
  /** What an alias may stand for, by what it is of use for. */
  readonly #known = new Map<string, string[]>();
  readonly #unindented: boolean;

  constructor(dice: Dice) {
    this.#dice = dice;
    this.#unindented = dice.one(3);
  }

  comment(): string {
    this.#comments += 1;
    return `# c${this.#comments}.`;
  }

  documents(): string {
    const parts = Array.from({ length: 1 + this.#dice.below(2) }, () => this.#document());
    const body = parts
      .map((part) => (this.#dice.one(4) ? `${this.comment()}\n` : '') + part)
      .join(`---${this.#dice.one(4) ? ` ${this.comment()}` : ''}\n`);
    const marked = this.#dice.one(4) ? `---\n${body}` : body;
    const ended = this.#dice.one(6) ? marked.replace(/\n$/, '') : marked;
    const broken = this.#dice.one(5) ? ended.replaceAll('\n', '\r\n') : ended;
    return (this.#dice.one(12) ? '\uFEFF' : '') + broken;
  }

  #document(): string {
    // An anchor holds for one document.
    this.#known.clear();
    const object = this.#object();
    if (this.#dice.one(10)) return `${this.#flow(object, 0)}\n`;
    return this.#block(object, 0, '');
  }

  #object(): Value {
    const dice = this.#dice;
    const kind = dice.pick(['Pod', 'Pod', 'Deployment', 'CronJob', 'List', 'ConfigMap']);
    if (kind === 'List')
      return {
        pairs: [
          ['kind', { raw: 'List' }],
          ['items', { items: Array.from({ length: 1 + dice.below(3) }, () => this.#pod('Pod')) }],
        ],
      };
    if (kind === 'Pod' || kind === 'ConfigMap') return this.#pod(kind);
    const template: Value = {
      pairs: [
        ['metadata', this.#metadata(false)],
        ['spec', this.#spec()],
      ],
    };
    const bare: Value = { pairs: [['spec', this.#spec()]] };
    const spec: Value = { pairs: [...this.#extras(), ['template', dice.one(4) ? bare : template]] };
    const head: (readonly [string, Value])[] = [
      ['apiVersion', { raw: 'v1' }],
      ['kind', { text: kind }],
      ['metadata', this.#metadata(true)],
    ];
    return { pairs: [...head, ['spec', kind === 'CronJob' ? { pairs: [['jobTemplate', { pairs: [['spec', spec]] }]] } : spec]] };
  }

  #pod(kind: string): Value {
    const pairs: (readonly [string, Value])[] = [
      ['kind', { text: kind }],
      ['metadata', this.#metadata(true)],
      ['spec', this.#spec()],
    ];
    return { pairs: this.#dice.one(3) ? pairs.toReversed() : pairs };
  }

  #metadata(named: boolean): Value {
    const dice = this.#dice;
    if (dice.one(6)) return { raw: dice.pick(['', '~', 'null', '{}']) };
    const annotations: Value = dice.one(3)
      ? { raw: dice.pick(['', '{}', 'null']) }
      : { pairs: [['note', this.#odd()], ...(dice.one(3) ? [['image', this.#image()] as const] : [])] };
    const namespace: readonly (readonly [string, Value])[] = dice.one(3)
      ? [['namespace', { text: dice.pick(['kube-system', 'team-blue', 'legacy']) }]]
      : [];
    return {
      pairs: [
        ...(named ? [['name', { text: 'p' }] as const] : []),
        ...namespace,
        ...(dice.one(2) ? [['annotations', annotations] as const] : []),
        ...(dice.one(3) ? [['labels', { pairs: [['app', { text: 'a' }]] }] as const] : []),
      ],
    };
  }

  #spec(): Value {
    const dice = this.#dice;
    const pairs: (readonly [string, Value])[] = [...this.#extras()];
    if (dice.one(2))
      pairs.push([
        'imagePullSecrets',
        dice.one(3)
          ? { raw: dice.pick(['', '~', '[]', 'null']) }
          : { items: Array.from({ length: 1 + dice.below(2) }, () => this.#secret()) },
      ]);
    pairs.push(['containers', { items: Array.from({ length: 1 + dice.below(3) }, (_, index) => this.#container(`c${index}`)) }]);
    if (dice.one(4)) pairs.push(['initContainers', { items: [this.#container('i')] }]);
    if (dice.one(3)) pairs.push(['volumes', { items: [this.#volume()] }]);
    if (dice.one(4)) pairs.push(...this.#extras());
    return { pairs: dice.one(3) ? pairs.toReversed() : pairs };
  }

  #secret(): Value {
    return { pairs: [['name', { text: this.#dice.pick(['mine', 'local-key', 'other']) }]] };
  }

  #volume(): Value {
    const mode: Value = { raw: this.#dice.pick(['0400', '0644', '256', '0o400', '0440']) };
    return this.#dice.one(2)
      ? {
          pairs: [
            ['name', { text: 'v' }],
            [
              'secret',
              {
                pairs: [
                  ['secretName', { text: 's' }],
                  ['defaultMode', mode],
                ],
              },
            ],
          ],
        }
      : {
          pairs: [
            ['name', { text: 'm' }],
            ['image', { pairs: [['reference', this.#image()], ...this.#pullPolicy('pullPolicy')] }],
          ],
        };
  }

  #container(name: string): Value {
    const dice = this.#dice;
    const own: (readonly [string, Value])[] = [['name', { text: name }], ['image', this.#image()], ...this.#pullPolicy('imagePullPolicy')];
    if (dice.one(3))
      own.push([
        'env',
        {
          items: [
            {
              pairs: [
                ['name', { text: 'A' }],
                ['value', this.#odd()],
              ],
            },
          ],
        },
      ]);
    if (dice.one(8)) own.push(['args', { items: [this.#image(), this.#odd()] }]);
    if (dice.one(14)) own.push(['image', this.#image()]);
    const shuffled = dice.one(3) ? own.toReversed() : own;
    const merged = this.#known.get('container') ?? [];
    const inline = dice.one(4);
    if (!dice.one(3) || (merged.length === 0 && !inline)) return { pairs: shuffled };
    const kept = shuffled.filter(() => !dice.one(3));
    const source = (): string => (inline || merged.length === 0 ? '{imagePullPolicy: Always}' : `*${dice.pick(merged)}`);
    const merge = ['<<', { raw: dice.one(3) ? `[${source()}, ${source()}]` : source() }] as const;
    const again = dice.one(8) ? [['<<', { raw: source() }] as const] : [];
    return { pairs: dice.one(2) ? [merge, ...again, ...kept] : [...kept, merge, ...again] };
  }

  #pullPolicy(key: string): readonly (readonly [string, Value])[] {
    return this.#dice.one(2) ? [[key, { text: this.#dice.pick(policies) }]] : [];
  }

  #image(): Value {
    return { text: this.#dice.pick(images) };
  }

  #odd(): Value {
    return { raw: this.#dice.pick(odd) };
  }

  #extras(): (readonly [string, Value])[] {
    const dice = this.#dice;
    const nested: Value = {
      pairs: [
        ['mode', this.#odd()],
        ['list', { items: [this.#odd(), this.#odd()] }],
      ],
    };
    return dice.one(3) ? [[dice.pick(['extra', 'x-y', 'on', '0400', '1.5', 'y-z']), dice.one(3) ? nested : this.#odd()]] : [];
  }

  /** What a value is of use for again: a string says what it is, so equal strings may share an anchor. */
  #shareAs(key: string, value: Value): string | null {
    if ('raw' in value) return null;
    if ('text' in value) return ['image', 'reference', 'note'].includes(key) ? 'image' : key.endsWith('ullPolicy') ? 'policy' : null;
    if (key === '-container') return 'container';
    return ['spec', 'imagePullSecrets', 'metadata', 'template', 'env'].includes(key) ? key : null;
  }

  /** An alias that may stand here, or the anchor to write in front; both are rare. */
  #sharing(key: string, value: Value): { readonly alias: string } | { readonly anchor: string } {
    const use = this.#shareAs(key, value);
    if (use === null) return { anchor: '' };
    const known = this.#known.get(use) ?? [];
    if (known.length > 0 && this.#dice.one(4)) return { alias: `*${this.#dice.pick(known)}` };
    if (!this.#dice.one(5)) return { anchor: '' };
    this.#anchors += 1;
    const name = `a${this.#anchors}`;
    // Only what is complete can be meant by an alias; that of a collection is known from its end on.
    this.#pending.push([use, name]);
    return { anchor: `&${name} ` };
  }

  readonly #pending: [string, string][] = [];

  #settle(from: number): void {
    for (const [use, name] of this.#pending.splice(from)) this.#known.set(use, [...(this.#known.get(use) ?? []), name]);
  }

  #endOfLine(): string {
    return this.#dice.one(7) ? `${this.#dice.pick([' ', '  ', '\t'])}${this.comment()}` : '';
  }

  #line(indent: number): string {
    return this.#dice.one(9) ? `${' '.repeat(this.#dice.one(4) ? 0 : indent)}${this.comment()}\n` : this.#dice.one(20) ? '\n' : '';
  }

  /** Lines of a block map; `first` is what stands in front of its first line already. */
  #block(value: Value, indent: number, first: string): string {
    if (!('pairs' in value)) return '';
    let out = '';
    for (const [index, [key, member]] of value.pairs.entries()) {
      const start = index === 0 && first !== '' ? first : this.#line(indent) + ' '.repeat(indent);
      out += start + this.#pair(key, member, indent);
    }
    return out;
  }

  #pair(key: string, value: Value, indent: number): string {
    const written = /^[a-z<]/i.test(key) && this.#dice.one(15) && key !== '<<' ? `"${key}"` : key;
    const explicit = this.#dice.one(20);
    const colon = explicit ? `? ${written}\n${' '.repeat(indent)}:` : `${written}:`;
    return colon + this.#afterColon(key, value, indent);
  }

  #afterColon(key: string, value: Value, indent: number): string {
    const from = this.#pending.length;
    const sharing = this.#sharing(key, value);
    if ('alias' in sharing) return ` ${sharing.alias}${this.#endOfLine()}\n`;
    const text = this.#value(value, indent, sharing.anchor);
    this.#settle(from);
    return text;
  }

  #value(value: Value, indent: number, anchor: string): string {
    if ('text' in value) return ` ${anchor}${this.#scalar(value.text, indent)}`;
    if ('raw' in value)
      return `${value.raw === '' ? anchor.trimEnd() && ` ${anchor.trimEnd()}` : ` ${anchor}${value.raw}`}${this.#endOfLine()}\n`;
    const empty = 'pairs' in value ? value.pairs.length === 0 : value.items.length === 0;
    if (empty || this.#dice.one(6)) return ` ${anchor}${this.#flow(value, indent)}${this.#endOfLine()}\n`;
    const head = `${anchor === '' ? '' : ` ${anchor.trimEnd()}`}${this.#endOfLine()}\n`;
    if ('pairs' in value) return head + this.#block(value, indent + this.#dice.pick([2, 2, 4]), '');
    return head + this.#items(value.items, this.#unindented ? indent : indent + 2);
  }

  #items(items: readonly Value[], indent: number): string {
    return items
      .map((item) => {
        const from = this.#pending.length;
        const lead = `${this.#line(indent)}${' '.repeat(indent)}-`;
        if (!('pairs' in item))
          return `${lead} ${'text' in item ? this.#scalar(item.text, indent) : 'raw' in item ? `${item.raw === '' ? '~' : item.raw}${this.#endOfLine()}\n` : `${this.#flow(item, indent)}\n`}`;
        const isContainer = item.pairs.some(([key]) => key === 'image' || key === '<<');
        const sharing = this.#sharing(isContainer ? '-container' : '', item);
        if ('alias' in sharing) return `${lead} ${sharing.alias}${this.#endOfLine()}\n`;
        const text = this.#item(item, indent, { lead, anchor: sharing.anchor });
        this.#settle(from);
        return text;
      })
      .join('');
  }

  #item(item: Value, indent: number, { lead, anchor }: { lead: string; anchor: string }): string {
    if (!('pairs' in item) || item.pairs.length === 0) return `${lead} {}\n`;
    if (this.#dice.one(6)) return `${lead} ${anchor}${this.#flow(item, indent)}${this.#endOfLine()}\n`;
    if (anchor !== '' || this.#dice.one(12)) return `${lead} ${anchor.trimEnd()}${this.#endOfLine()}\n${this.#block(item, indent + 2, '')}`;
    const gap = this.#dice.one(8) ? '   ' : ' ';
    return this.#block(item, indent + 1 + gap.length, lead + gap);
  }

  /** With its line end. */
  #scalar(text: string, indent: number): string {
    const dice = this.#dice;
    const deeper = ' '.repeat(indent + dice.pick([1, 2, 4]));
    switch (dice.below(12)) {
      case 0:
        return `'${text}'${this.#endOfLine()}\n`;
      case 1:
      case 2:
        return `"${text}"${this.#endOfLine()}\n`;
      case 3:
      case 4:
        return `${dice.pick(['>-', '|-', '>', '|', '>+', '|+'])}${this.#endOfLine()}\n${deeper}${text}\n${dice.one(4) ? '\n' : ''}`;
      case 5:
        return dice.one(2) ? `!!str ${text}${this.#endOfLine()}\n` : `\n${deeper}${text}${this.#endOfLine()}\n`;
      default:
        return `${text}${this.#endOfLine()}\n`;
    }
  }

  #flow(value: Value, indent: number): string {
    if ('raw' in value) return value.raw === '' ? '' : value.raw;
    if ('text' in value) return this.#dice.pick([value.text, value.text, `"${value.text}"`, `'${value.text}'`]);
    const isMap = 'pairs' in value;
    const parts = isMap
      ? value.pairs.map(([key, member]) => this.#flowPair(key, member, indent))
      : value.items.map((item) => this.#flow('raw' in item && item.raw === '' ? { raw: '~' } : item, indent));
    const [open, close] = isMap ? ['{', '}'] : ['[', ']'];
    const deeper = ' '.repeat(indent + 2);
    if (this.#dice.one(4))
      return `${open}${this.#endOfLine()}\n${deeper}${parts.map((part, index) => part + (index < parts.length - 1 || this.#dice.one(6) ? ',' : '') + this.#endOfLine()).join(`\n${deeper}`)}\n${' '.repeat(indent)} ${close}`;
    const blank = this.#dice.one(3) ? ' ' : '';
    return open + blank + parts.join(this.#dice.one(8) ? ' , ' : ', ') + blank + close;
  }

  #flowPair(key: string, value: Value, indent: number): string {
    const from = this.#pending.length;
    const sharing = this.#sharing(key, value);
    if ('alias' in sharing) return `${key}: ${sharing.alias} `;
    const text = `${key}: ${sharing.anchor}${this.#flow(value, indent + 2)}`;
    this.#settle(from);
    return text;
  }
}

export const generated = (seed: number): string => new YamlWriter(new Dice(seed)).documents();

/** One or two of its lines, or a piece of one, taken away, doubled, moved or replaced. */
export const mangled = (seed: number): string => {
  const dice = new Dice(seed);
  const lines = new YamlWriter(dice).documents().split('\n');
  for (let times = 1 + dice.below(2); times > 0; times -= 1) {
    const at = dice.below(lines.length);
    const line = lines[at] ?? '';
    const cut = dice.below(line.length + 1);
    const piece = dice.pick([
      '*a1',
      '&a1 ',
      '- ',
      ': ',
      '? ',
      '{',
      '}',
      ', ',
      '"',
      "'",
      '|',
      '>-',
      '#',
      '\t',
      '---',
      '!!str ',
      '<<: *a1',
      '{{ .Values.a }}',
      '\u2028',
      '  ',
    ]);
    const changes = [
      [],
      [line, line],
      [line.slice(0, cut) + piece + line.slice(cut)],
      [line.slice(0, cut)],
      [` ${line}`],
      [line.replace(/^ /, '')],
      [line.slice(0, cut), line.slice(cut)],
    ];
    lines.splice(at, 1, ...dice.pick(changes));
  }
  return lines.join('\n');
};
