/** The sentence of an answer. */
import { test } from 'tap';
import { clientError } from '../../src/server/errors.ts';

test('the message has the problem, then the remedy', (t) => {
  t.same(clientError('OVERLOADED', '9 requests are in flight'), {
    code: 'OVERLOADED',
    error: '9 requests are in flight; try again in a second',
  });
  t.end();
});
