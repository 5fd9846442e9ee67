/** A temporary folder that goes away even when the process that made it is killed. */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface TemporaryFolder {
  readonly path: string;
  remove(): void;
}

/** Waits for its standard input to close, then removes the folder; tries again while killed programs still write their last. */
const sweep = 'read -r _; for _ in 1 2 3 4 5 6 7 8 9 10; do rm -rf "$1" 2>/dev/null && exit; sleep 0.2; done';

export function temporaryFolder(prefix: string): TemporaryFolder {
  const path = mkdtempSync(join(tmpdir(), `${prefix}-`));
  const sweeper = spawn('sh', ['-c', sweep, 'sweep', path], { detached: true, stdio: ['pipe', 'ignore', 'ignore'] });
  sweeper.stdin.on('error', () => {});
  // Neither may keep the process alive that only waits to finish.
  sweeper.unref();
  return {
    path,
    remove: () => {
      sweeper.kill('SIGKILL');
      rmSync(path, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}
