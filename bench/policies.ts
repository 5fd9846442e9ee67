/** Policies of any number of rules, as plain values: YAML 1.2 reads their JSON. The last rule is the one that matches the reviews. */

export interface PolicyWish {
  readonly rules: number;
  /** What the rules in front look like: hosts of their own, or expressions in regex. */
  readonly others?: 'hosts' | 'regexes';
  readonly rewrite?: Readonly<Record<string, unknown>>;
  /** Patterns of the last rule. */
  readonly images?: readonly unknown[];
}

const fullName = { registry: 'proxy', as: 'fullName', prefix: 'proxy/my-app' };

export function policyOf({ rules, others = 'hosts', rewrite = fullName, images = ['quay.io/acme'] }: PolicyWish): unknown {
  const front = Array.from({ length: rules - 1 }, (_, index) => ({
    name: `other-${index}`,
    match: { images: [others === 'hosts' ? `registry-${index}.example.net/team` : { regex: otherExpression(index) }] },
    rewrite: fullName,
  }));
  return {
    apiVersion: 'transship.dev/v1',
    kind: 'RewritePolicy',
    registries: { proxy: { host: 'proxy.example.com', pullSecrets: ['proxy-credentials'] } },
    rules: [...front, { name: 'vendor', match: { images }, rewrite }],
  };
}

/** No host can be read off it, so it is tried for every image. */
export function otherExpression(index: number): string {
  return `^[^/]+/team-${index}/(service|worker)-[0-9]+`;
}

/** Each transform once. */
export const transforms: Readonly<
  Record<string, { readonly rewrite: Readonly<Record<string, unknown>>; readonly images?: readonly unknown[] }>
> = {
  path: { rewrite: { registry: 'proxy', as: 'path' } },
  fullName: { rewrite: fullName },
  flatten: { rewrite: { registry: 'proxy', as: 'flatten' } },
  escape: { rewrite: { registry: 'proxy', as: 'escape' } },
  singleRepository: { rewrite: { registry: 'proxy', as: 'singleRepository', repository: 'dev/all' } },
  remainder: { rewrite: { registry: 'proxy', as: 'remainder' } },
  image: { rewrite: { as: 'image', image: 'proxy.example.com/acme/service' } },
  template: { rewrite: { as: 'template', template: 'proxy.example.com/hub/$1' }, images: [{ regex: '^quay\\.io/acme/([^:@]+)' }] },
};
