/** A picture of how many containers pull from which registry, and from where they would pull: bands from left to right. */
import { html, Html } from '../../text/html.ts';

export interface Flow {
  readonly from: string;
  readonly to: string;
  /** Width of the band. */
  readonly pods: number;
}

interface Stop {
  readonly name: string;
  readonly pods: number;
  readonly top: number;
  readonly height: number;
}

const width = 900;
const barWidth = 12;
/** Where the bars stand; names are outside of them. */
const [left, right] = [260, width - 260 - barWidth];
const gap = 26;
const minHeight = 3;
/** Height of all bands together. */
const bands = 260;

/** Each registry has its number of pods as text, so the picture says nothing that cannot be read. */
export function flowPicture(flows: readonly Flow[]): Html {
  if (flows.length === 0) return new Html('');
  const total = flows.reduce((sum, { pods }) => sum + pods, 0);
  const scale = (pods: number): number => Math.max(minHeight, (pods / total) * bands);
  const [sources, targets] = [stopsOf(flows, 'from', scale), stopsOf(flows, 'to', scale)];
  const height = Math.max(bottomOf(sources), bottomOf(targets)) + gap;
  const summary = flows.map(({ from, to, pods }) => `${from} to ${to}: ${pods}`).join('; ');
  return html`<section aria-labelledby="flows-title">
    <h2 id="flows-title">From where pods pull, and from where they would</h2>
    <svg viewBox="0 0 ${width} ${Math.ceil(height)}" role="img" aria-label="${summary}">
      ${bandsOf(flows, sources, targets, scale)} ${[...sources.values()].map((stop) => label(stop, left, left - 8, 'end'))}
      ${[...targets.values()].map((stop) => label(stop, right, right + barWidth + 8, 'start'))}
    </svg>
  </section> `;
}

function stopsOf(flows: readonly Flow[], side: 'from' | 'to', scale: (pods: number) => number): ReadonlyMap<string, Stop> {
  const stops = new Map<string, Stop>();
  let top = gap;
  for (const [name, own] of Map.groupBy(flows, (flow) => flow[side])) {
    const height = own.reduce((sum, { pods }) => sum + scale(pods), 0);
    stops.set(name, { name, pods: own.reduce((sum, { pods }) => sum + pods, 0), top, height });
    top += height + gap;
  }
  return stops;
}

function bottomOf(stops: ReadonlyMap<string, Stop>): number {
  return Math.max(...[...stops.values()].map(({ top, height }) => top + height));
}

function bandsOf(
  flows: readonly Flow[],
  sources: ReadonlyMap<string, Stop>,
  targets: ReadonlyMap<string, Stop>,
  scale: (pods: number) => number,
): Html[] {
  const used = { from: new Map<string, number>(), to: new Map<string, number>() };
  const place = (side: 'from' | 'to', stops: ReadonlyMap<string, Stop>, { [side]: name, pods }: Flow): number => {
    const before = used[side].get(name) ?? 0;
    used[side].set(name, before + scale(pods));
    return (stops.get(name)?.top ?? 0) + before + scale(pods) / 2;
  };
  return flows.map((flow) => {
    const [y1, y2] = [place('from', sources, flow), place('to', targets, flow)];
    const [x1, x2, middle] = [left + barWidth, right, (left + barWidth + right) / 2];
    const path = `M${x1} ${round(y1)}C${middle} ${round(y1)} ${middle} ${round(y2)} ${x2} ${round(y2)}`;
    const kind = flow.from === flow.to ? 'band stays' : 'band';
    return html`<path class="${kind}" d="${path}" stroke-width="${round(scale(flow.pods))}"
      ><title>${flow.from} to ${flow.to}: ${flow.pods}</title></path
    > `;
  });
}

const round = (value: number): number => Math.round(value * 10) / 10;

function label({ name, pods, top, height }: Stop, bar: number, x: number, anchor: 'start' | 'end'): Html {
  const y = round(top + height / 2 + 4);
  return html`<rect class="bar" x="${bar}" y="${round(top)}" width="${barWidth}" height="${round(height)}" /><text
      x="${x}"
      y="${y}"
      text-anchor="${anchor}"
      >${shortened(name)} (${pods})</text
    > `;
}

/** Room for about this many characters. */
const maxName = 30;

function shortened(name: string): string {
  return name.length <= maxName ? name : `${name.slice(0, maxName - 1)}…`;
}
