/* Runs in the page: draws each panel at its place in Grafana's grid of 24 columns. */
const panels = JSON.parse(document.querySelector('#data').textContent);
const main = document.querySelector('main');
const colours = [
  '#3274d9',
  '#56a64b',
  '#e0b400',
  '#e02f44',
  '#a352cc',
  '#ff780a',
  '#37872d',
  '#1f60c4',
  '#b877d9',
  '#8ab8ff',
  '#c4162a',
  '#96d98d',
];
const unitHeight = 34;
const columns = 24;
const width = document.documentElement.clientWidth - 16;

const scaled = (value, steps) => {
  const [size, name] = steps.find(([least]) => Math.abs(value) >= least) ?? steps.at(-1);
  return `${Number((value / size).toPrecision(3))} ${name}`;
};
const formats = {
  short: (value) => String(Number(value.toPrecision(4))),
  reqps: (value) => `${Number(value.toPrecision(3))} req/s`,
  percentunit: (value) => `${Number((value * 100).toPrecision(3))} %`,
  bytes: (value) =>
    scaled(value, [
      [2 ** 30, 'GiB'],
      [2 ** 20, 'MiB'],
      [2 ** 10, 'KiB'],
      [1, 'B'],
    ]),
  s: (value) =>
    value === 0
      ? '0'
      : scaled(value, [
          [86_400, 'd'],
          [3_600, 'h'],
          [60, 'min'],
          [1, 's'],
          [1e-3, 'ms'],
          [1e-6, 'µs'],
        ]),
};

let bottom = 0;
for (const { type, title, gridPos, fieldConfig, times, series } of panels) {
  const box = document.createElement('section');
  box.className = type;
  const size = { width: (gridPos.w / columns) * width - 8, height: gridPos.h * unitHeight - 8 };
  Object.assign(box.style, {
    left: `${(gridPos.x / columns) * width}px`,
    top: `${gridPos.y * unitHeight}px`,
    width: `${size.width}px`,
    height: `${size.height}px`,
  });
  const heading = document.createElement('h2');
  heading.textContent = title;
  box.append(heading);
  main.append(box);
  bottom = Math.max(bottom, (gridPos.y + gridPos.h) * unitHeight);
  if (type === 'row') continue;
  if (series.length === 0) {
    box.append(fieldConfig?.defaults.noValue ?? 'No data');
    continue;
  }
  const format = formats[fieldConfig.defaults.unit];
  const legendLines = Math.ceil(series.reduce((sum, { legend }) => sum + legend.length * 6 + 26, 0) / size.width);
  const plot = new uPlot(
    {
      width: size.width - 18,
      height: size.height - 36 - Math.max(1, legendLines) * 19,
      cursor: { show: false },
      legend: { live: false },
      scales: { y: { range: (_plot, _least, most) => [0, most > 0 ? most * 1.1 : 1] } },
      axes: [
        { values: '{HH}:{mm}:{ss}', space: 90 },
        { values: (_plot, splits) => splits.map((value) => format(value)), size: 92 },
      ],
      series: [
        {},
        ...series.map(({ legend }, index) => ({
          label: legend,
          stroke: colours[index % colours.length],
          width: 1.5,
          points: { show: false },
        })),
      ],
    },
    [times, ...series.map(({ values }) => values)],
  );
  box.append(plot.root);
}
main.style.height = `${bottom}px`;
