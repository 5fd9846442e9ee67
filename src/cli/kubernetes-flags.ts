/** Types of flags that name something in Kubernetes: what the API server would refuse is refused here. An empty text counts as not given. */
import { isDnsLabel, isDnsSubdomain, isLabelValue, isQualifiedName, maxSubdomain } from '../config/kubernetes-names.ts';
import { Unfit, type FlagType } from './flag-types.ts';

interface NameType {
  readonly expects: string;
  readonly isValid: (text: string) => boolean;
}

function nameType({ expects, isValid }: NameType): FlagType<string> {
  const read = (text: string): string | Unfit => {
    if (text === '' || isValid(text)) return text;
    const near = text
      .toLowerCase()
      .replaceAll(/[_\s]/g, '-')
      .replaceAll(/^[^a-z0-9]+|[^a-z0-9]+$/g, '');
    return new Unfit(text, near !== '' && isValid(near) ? `did you mean ${near}?` : null);
  };
  return { argument: 'NAME', expects, read };
}

export const namespaceName = nameType({
  expects: 'the name of a namespace (lower-case letters, digits and -, at most 63 characters)',
  isValid: isDnsLabel,
});

export const serviceName = nameType({
  expects: 'the name of a Service (lower-case letters, digits and -, at most 63 characters)',
  isValid: isDnsLabel,
});

const ofObject = (length: number): string => `the name of an object (lower-case letters, digits, - and ., at most ${length} characters)`;

export const objectName = nameType({ expects: ofObject(maxSubdomain), isValid: isDnsSubdomain });

/** Bindings are called `NAME-namespaces` and `NAME-pods`. */
const maxPolicyName = maxSubdomain - '-namespaces'.length;

export const admissionPolicyName = nameType({
  expects: ofObject(maxPolicyName),
  isValid: (text) => text.length <= maxPolicyName && isDnsSubdomain(text),
});

export const labelValue: FlagType<string> = {
  argument: 'VALUE',
  expects: 'the value of a label (letters, digits, -, _ and ., at most 63 characters)',
  read: (text) => (isLabelValue(text) ? text : new Unfit(text)),
};

/** `KEY=VALUE`, as kubectl takes labels. */
export const label: FlagType<readonly [key: string, value: string]> = {
  argument: 'KEY=VALUE',
  expects: 'a label as KEY=VALUE',
  read: (text) => {
    const [key, value] = splitAtEquals(text);
    return isQualifiedName(key) && value !== null && isLabelValue(value) ? [key, value] : new Unfit(text);
  },
};

/** A condition of an admission policy: `NAME=EXPRESSION`, in CEL. */
export const matchCondition: FlagType<readonly [name: string, expression: string]> = {
  argument: 'NAME=EXPRESSION',
  expects: 'a match condition as NAME=EXPRESSION',
  read: (text) => {
    const [name, expression] = splitAtEquals(text);
    return isQualifiedName(name) && expression !== null && expression.trim() !== '' ? [name, expression] : new Unfit(text);
  },
};

function splitAtEquals(text: string): [before: string, after: string | null] {
  const equals = text.indexOf('=');
  return equals === -1 ? [text, null] : [text.slice(0, equals), text.slice(equals + 1)];
}
