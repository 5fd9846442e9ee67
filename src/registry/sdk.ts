/**
 * The clouds' own SDKs, loaded when a policy first asks for one. They are 13 to 52 MB each, so the image does not bring them;
 * the interfaces say the little of each that is used, since their types are as optional as they are.
 */
import { CredentialError } from './errors.ts';

export type CloudName = 'ecr' | 'gar' | 'acr';

interface SdkPackage {
  readonly name: string;
  /** What the tests ran against. */
  readonly version: string;
}

export const sdkPackages: Readonly<Record<CloudName, SdkPackage>> = {
  ecr: { name: '@aws-sdk/client-ecr', version: '3.1169.0' },
  gar: { name: 'google-auth-library', version: '11.3.4' },
  acr: { name: '@azure/identity', version: '4.14.1' },
};

/**
 * @param Sdk what the caller uses of the package
 * @throws CredentialError SDK_MISSING that says what to install
 */
export async function loadSdk<Sdk>(cloud: CloudName, { name, version }: SdkPackage = sdkPackages[cloud]): Promise<Sdk> {
  try {
    return await import(name);
  } catch (error) {
    const why =
      error instanceof Error && 'code' in error && error.code === 'ERR_MODULE_NOT_FOUND' ? 'is not installed' : 'cannot be loaded';
    throw new CredentialError(
      'SDK_MISSING',
      `credentials of provider ${cloud} need the package ${name}, which ${why}; add it to the image with \`npm install ${name}@${version}\` (docs/guides/cloud-registries.md)`,
    );
  }
}
