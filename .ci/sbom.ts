/**
 * `npm run sbom`: a CycloneDX bill of what the image holds, on stdout. It is npm's own, less what is only there for development or for
 * another platform: `npm sbom --omit dev` would leave out every package that production and development share.
 */
import { execFileSync } from 'node:child_process';

interface Component {
  readonly 'bom-ref': string;
  readonly scope?: string;
  readonly properties?: readonly { readonly name: string; readonly value: string }[];
}

interface Bom {
  readonly components: readonly Component[];
  readonly dependencies: readonly { readonly ref: string; readonly dependsOn: readonly string[] }[];
}

const largest = 256 * 1024 * 1024;
/** https://github.com/CycloneDX/cyclonedx-property-taxonomy, namespace cdx:npm; npm says `optional` by the scope. */
const isForDevelopment = ({ properties = [] }: Component): boolean =>
  properties.some(({ name, value }) => name === 'cdx:npm:package:development' && value === 'true');
const isOptional = (component: Component): boolean => component.scope === 'optional';

// Whatever Node runs npm need not know the options of this one.
const { NODE_OPTIONS: _ours, ...env } = process.env;
const bom: Bom = JSON.parse(
  execFileSync('npm', ['sbom', '--sbom-format', 'cyclonedx', '--sbom-type', 'application'], { encoding: 'utf8', maxBuffer: largest, env }),
);
const left = new Set(
  bom.components.filter((component) => isForDevelopment(component) || isOptional(component)).map((component) => component['bom-ref']),
);
const dependencies = bom.dependencies
  .filter(({ ref }) => !left.has(ref))
  .map(({ ref, dependsOn }) => ({ ref, dependsOn: dependsOn.filter((on) => !left.has(on)) }));
const components = bom.components.filter((component) => !left.has(component['bom-ref']));
process.stdout.write(`${JSON.stringify({ ...bom, components, dependencies }, null, 2)}\n`);
