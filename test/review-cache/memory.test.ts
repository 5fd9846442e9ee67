/** What is remembered is bounded in bytes of the heap, and the gauge says what it is. "Some 5 MiB" were once 120 to 460. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { test } from 'tap';

const child = fileURLToPath(new URL('memory-child.ts', import.meta.url));
const MiB = 1024 * 1024;

for (const kind of ['new', 'many images', 'invalid', 'large']) {
  test(`memory of remembered reviews: ${kind}`, async (t) => {
    const { stdout } = await promisify(execFile)(process.execPath, ['--expose-gc', child, kind]);
    const { held, told }: { held: number; told: number } = JSON.parse(stdout);
    const says = `${(held / MiB).toFixed(1)} MiB are held, and ${(told / MiB).toFixed(1)} told`;
    t.ok(told > MiB && told <= 9.5 * MiB, says);
    t.ok(held <= 14 * MiB && held <= 1.5 * told + MiB, says);
    t.comment(says);
  });
}
