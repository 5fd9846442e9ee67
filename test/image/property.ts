/** A property as a test: fast-check looks for a counter-example and shows the smallest that it finds. */
import { assert, type IProperty, type Parameters } from '../random/fast-check.ts';
import { test } from 'tap';

/** @param property throws (`node:assert`) where it does not hold */
export function holds<T>(name: string, property: IProperty<T>, parameters: Parameters<T> = {}): void {
  test(name, (t) => {
    t.doesNotThrow(() => assert(property, parameters));
    t.end();
  });
}
