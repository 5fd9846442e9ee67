/** What a request holds is given back, whatever became of its connection. */
import { test } from 'tap';
import { ByteBudget } from '../../src/server/byte-budget.ts';
import { Client } from '../../src/server/client.ts';
import type { Connection } from '../../src/server/connections.ts';
import { InFlightRequest, InFlightRequests } from '../../src/server/in-flight.ts';
import { until } from './until.ts';

/** What is looked at of a connection. */
const connection = (client: Client): Connection & { raw: { destroyed: boolean } } => ({ client, raw: { destroyed: false } }) as never;

test('a pipelined request whose client went away once held its memory for a minute, because Node tells nothing about it', async (t) => {
  const requests = new InFlightRequests(new ByteBudget(1_000_000), { maxInFlight: 10, requestTimeout: 60_000, checkInterval: 5 });
  t.teardown(() => requests.close());
  const [gone, there] = [new Client(), new Client()];
  const closed = connection(gone);
  const ended: string[] = [];
  const lost = new InFlightRequest(closed, () => ended.push('lost'));
  const living = new InFlightRequest(connection(there), () => ended.push('living'));
  for (const request of [living, lost]) {
    t.ok(requests.enter(request));
    t.ok(requests.hold(request, 1_000));
  }
  closed.raw.destroyed = true;
  await until('it has left', () => requests.size === 1);
  t.match(lost, { state: 'ended', bytes: 0 });
  t.match(gone, { inFlight: 0, bytes: 0 });
  t.match(living, { state: 'receiving', bytes: 1_000 }, 'the other one stays');
  t.strictSame(ended, [], 'there is nobody to answer');
});

test('the body of an evicted request went on arriving and once reserved memory that nobody gave back', (t) => {
  const limits = { maxInFlight: 1, requestTimeout: 60_000, checkInterval: 60_000 };
  const budget = new ByteBudget(1_000_000);
  const requests = new InFlightRequests(budget, limits);
  t.teardown(() => requests.close());
  const [slow, other] = [new Client(), new Client()];
  slow.inFlight = 5;
  const evicted = new InFlightRequest(connection(slow), () => undefined);
  t.ok(requests.enter(evicted));
  t.ok(requests.hold(evicted, 1_000));
  t.ok(requests.enter(new InFlightRequest(connection(other), () => undefined)), 'the request of the other address takes its place');
  t.notOk(requests.hold(evicted, 2_000));
  t.match([evicted.bytes, slow.bytes, budget.used], [0, 0, 0]);
  t.end();
});
