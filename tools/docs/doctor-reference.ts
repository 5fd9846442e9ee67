/** The checks of `transship doctor` as a table, from the records of the checks. */
import { checks } from '../../src/inspect/doctor/checks.ts';

export function doctorReference(): string {
  const rows = checks.map(({ id, title, isPast }) => `| \`${id}\` | ${title} | ${isPast === true ? '!' : '✗'} |`);
  return ['| Check | Holds when | Else |', '|---|---|---|', ...rows].join('\n');
}
