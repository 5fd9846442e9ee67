/** A process of its own for attacks: arguments are host, port, local address and their names. It goes on until it is ended. */
import { attacks } from './attacks.ts';

const [host = '', port = '', localAddress = '', ...names] = process.argv.slice(2);
const controller = new AbortController();
process.stdin.on('end', () => process.exit(0));
process.stdin.resume();
const running = names.map((name) => attacks[name]?.({ host, port: Number(port), localAddress }, controller.signal));
process.stdout.write('attacking\n');
await Promise.all(running.filter((attack) => attack !== undefined));
