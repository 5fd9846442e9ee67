/** Names of images in drafts, as text: `quay.io/acme`. */
import type { Draft, DraftTarget } from './draft.ts';

/** Names that match everything under the name: its host and parts of its path, also with a star for the first labels of the host. */
export function namesAbove(name: string): string[] {
  const [host = '', ...path] = name.split('/');
  const labels = host.split('.');
  const hosts = [host, ...labels.slice(1).map((_, index) => ['*', ...labels.slice(index + 1)].join('.'))];
  const ends = ['', ...path.map((_, index) => `/${path.slice(0, index + 1).join('/')}`)];
  const names = hosts.flatMap((each) => ends.map((end) => each + end));
  return [...new Set(names)].filter((each) => each !== name);
}

/** Under which a rule of the draft writes, and one matches: such images are left alone, for a rewritten image must not be rewritten again. */
export function leftAlone({ rules }: Draft): string[] {
  const targets = new Set(rules.flatMap(({ target, alternatives = [] }) => [target, ...alternatives].flatMap(nameOfTarget)));
  const patterns = new Set(rules.flatMap(({ images }) => images.filter((image) => typeof image === 'string')));
  const ofEvery = rules.find(({ images }) => images.includes('*'));
  const kept = new Set(ofEvery?.exclude ?? []);
  const written = [...targets].filter((target) => {
    const names = [target, ...namesAbove(target)];
    return names.some((name) => patterns.has(name)) || (ofEvery !== undefined && !names.some((name) => kept.has(name)));
  });
  const matched = [...patterns].flatMap((pattern) => namesAbove(pattern).filter((name) => targets.has(name)));
  return [...new Set([...written, ...matched])];
}

function nameOfTarget(target: DraftTarget): string[] {
  if (!('host' in target)) return [];
  return [target.prefix === '' ? target.host : `${target.host}/${target.prefix}`];
}
