/** Pods that are created while nodes do not reach the first target of a rule: what the webhook writes, and that a second call changes nothing. */
import { test } from 'tap';
import { originalImagesAnnotation, rewrittenByAnnotation } from '../../src/pod/annotations.ts';
import { isObject, list, member } from '../../src/pod/json.ts';
import type { CompiledPolicy } from '../../src/rules/compile.ts';
import type { ResolvedHosts } from '../../src/rules/registries.ts';
import { pod, reviewOf, type Json } from '../builders/pod.ts';
import { call, patched } from '../builders/webhook.ts';
import { compiled } from '../rules/policy.ts';

const policy = (hosts: ResolvedHosts): CompiledPolicy => ({
  ...compiled(
    {
      registries: { mirror: { host: 'mirror.example', pullSecrets: ['mirror'] }, backup: { host: 'backup.example' } },
      rules: [
        {
          name: 'hub',
          match: { images: ['docker.io'] },
          rewrite: { registry: 'mirror', as: 'path' },
          alternatives: [{ registry: 'backup', as: 'path' }, { as: 'original' }],
        },
      ],
    },
    hosts,
  ),
  revision: 'r',
});
const down = { unavailable: true } as const;
const reached = policy({});
const mirrorDown = policy({ mirror: down });
const originalFirst = policy({ mirror: down, backup: down });

const podWith = (image: string, annotations?: Record<string, string>): Json =>
  pod({ metadata: annotations === undefined ? {} : { annotations }, containers: { app: image } });

interface Passed {
  readonly object: Json;
  readonly patches: number;
  readonly audit: unknown;
  readonly warnings: readonly string[];
}

function passed(by: CompiledPolicy, object: Json, oldObject: Json = null): Passed {
  const review = reviewOf({ object, oldObject, operation: oldObject === null ? 'CREATE' : 'UPDATE' });
  const { patch, response, admission } = call(review, by);
  return { object: patched(object, patch), patches: patch.length, audit: response.auditAnnotations, warnings: admission.warnings };
}

const annotationsOf = (object: Json): unknown => member(member(object, 'metadata'), 'annotations');
function imageOf(object: Json): unknown {
  const [container] = list(member(object, 'spec'), 'containers');
  return isObject(container) ? container['image'] : undefined;
}

test('a new pod gets the next alternative, and a second call leaves it there, whatever is reached by then', (t) => {
  const first = passed(mirrorDown, podWith('nginx:1'));
  t.equal(imageOf(first.object), 'backup.example/library/nginx:1');
  t.strictSame(annotationsOf(first.object), {
    [originalImagesAnnotation]: '{"app":"nginx:1"}',
    [rewrittenByAnnotation]: '{"app":"hub@r"}',
  });
  for (const by of [mirrorDown, reached, originalFirst]) t.equal(passed(by, first.object).patches, 0);
  t.strictSame(passed(mirrorDown, first.object).audit, first.audit, 'an audit annotation with another value would be rejected');
  t.end();
});

test('an image that stays as written is recorded, so that the controller may move it, and no rule is said to have rewritten it', (t) => {
  const first = passed(originalFirst, podWith('nginx:1'));
  t.equal(imageOf(first.object), 'nginx:1');
  t.strictSame(annotationsOf(first.object), { [originalImagesAnnotation]: '{"app":"nginx:1"}' });
  t.strictSame(member(member(first.object, 'spec'), 'imagePullSecrets'), [{ name: 'mirror' }]);
  t.strictSame(first.warnings, []);
  const second = passed(originalFirst, first.object);
  t.strictSame([second.patches, second.audit], [0, first.audit]);
  t.equal(imageOf(passed(reached, first.object).object), 'mirror.example/library/nginx:1', 'a new pod that is a copy of it');
  t.end();
});

test('an update to another image that stays replaces both records, once', (t) => {
  const records = {
    [originalImagesAnnotation]: '{"app":"nginx:1","other":"o"}',
    [rewrittenByAnnotation]: '{"app":"hub@r","other":"hub@r"}',
  };
  const old = podWith('mirror.example/library/nginx:1', records);
  const first = passed(originalFirst, podWith('redis:1', records), old);
  t.strictSame(annotationsOf(first.object), {
    [originalImagesAnnotation]: '{"other":"o","app":"redis:1"}',
    [rewrittenByAnnotation]: '{"other":"hub@r"}',
  });
  t.equal(passed(originalFirst, first.object, old).patches, 0);
  t.end();
});
