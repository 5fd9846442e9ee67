/** The bill of materials of a bundle, CycloneDX 1.6 (https://cyclonedx.org/docs/1.6/json/): the same bytes from the same packages. */
import type { BundledPackage } from './packages.ts';

interface Component {
  readonly type: 'application' | 'library';
  readonly 'bom-ref': string;
  readonly group?: string;
  readonly name: string;
  readonly version: string;
  readonly purl: string;
  readonly hashes?: readonly { readonly alg: 'SHA-512'; readonly content: string }[];
  readonly licenses: readonly ({ readonly expression: string } | { readonly license: { readonly id: string } })[];
}

/** @param product name, version and licence of what the bundle is of */
export function billOfMaterials(
  product: Pick<BundledPackage, 'name' | 'version' | 'license'>,
  packages: readonly BundledPackage[],
): object {
  const components = packages.map((each) => ({ ...component('library', each), hashes: [hashOf(each.integrity)] }));
  return {
    $schema: 'http://cyclonedx.org/schema/bom-1.6.schema.json',
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    version: 1,
    metadata: { component: component('application', product) },
    components: [...new Map(components.map((each) => [each['bom-ref'], each])).values()],
  };
}

function component(type: Component['type'], { name, version, license }: Pick<BundledPackage, 'name' | 'version' | 'license'>): Component {
  const purl = `pkg:npm/${name.replace('@', '%40')}@${version}`;
  const slash = name.indexOf('/');
  const names = slash === -1 ? { name } : { group: name.slice(0, slash), name: name.slice(slash + 1) };
  const licenses = /\s/.test(license) ? [{ expression: license }] : [{ license: { id: license } }];
  return { type, 'bom-ref': purl, ...names, version, purl, licenses };
}

function hashOf(integrity: string): { alg: 'SHA-512'; content: string } {
  return { alg: 'SHA-512', content: Buffer.from(integrity.replace(/^sha512-/, ''), 'base64').toString('hex') };
}
