/** How the image runs, from the last stage of the Dockerfile, so that both ways of building make the same image. */

interface Settings {
  readonly Entrypoint: readonly string[];
  readonly Cmd: readonly string[];
  readonly User: string;
  readonly WorkingDir: string;
  readonly Env: readonly string[];
  readonly ExposedPorts: Readonly<Record<string, object>>;
}

/** @throws Error that names the instruction that is missing or is written in another way than this reads */
export function runtimeSettings(dockerfile: string): Settings {
  const stage = dockerfile.slice(dockerfile.lastIndexOf('\nFROM '));
  const last = (instruction: string): string => {
    const line = [...stage.matchAll(new RegExp(`^${instruction} (.*)$`, 'gm'))].at(-1)?.[1];
    if (line === undefined) throw new Error(`the last stage of the Dockerfile has no ${instruction}`);
    return line;
  };
  return {
    Entrypoint: words(last('ENTRYPOINT')),
    Cmd: words(last('CMD')),
    User: last('USER'),
    WorkingDir: last('WORKDIR'),
    Env: last('ENV').split(' '),
    ExposedPorts: Object.fromEntries(
      last('EXPOSE')
        .split(' ')
        .map((port) => [`${port}/tcp`, {}]),
    ),
  };
}

function words(text: string): string[] {
  const value: unknown = JSON.parse(text);
  if (!Array.isArray(value)) throw new Error(`${text}: write ENTRYPOINT and CMD of the Dockerfile as lists`);
  return value.map(String);
}
