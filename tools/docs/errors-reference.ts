/** The page that documents every error code, from the table of codes. */
import { answerCodes, credentialCodes, kubernetesCodes, startCodes, type CodeEntry } from '../../src/errors/codes.ts';

const introduction = `# Errors

<!-- Written by tools/docs/errors-reference.ts from src/errors/codes.ts: change these. -->

Search this page for the code. Codes are stable; messages may change.

A command that fails prints one line to standard error and exits with 2. Findings in files follow, one per line:

    transship serve: TLS_PAIR_INVALID: /etc/transship/tls/tls.crt expired at 2026-11-25T10:00:00.000Z; renew it
    transship explain: POLICY_INVALID: policy.yaml cannot be used; correct what follows
    policy.yaml:3:1: error: unknown key ruels; did you mean rules?
`;

interface Section {
  readonly title: string;
  readonly text: string;
  readonly codes: Readonly<Record<string, CodeEntry>>;
}

const sections: readonly Section[] = [
  { title: 'Any command', text: '`serve` and `controller` end like this only when they cannot start.', codes: startCodes },
  {
    title: 'Answers of the webhook',
    text: `An answer other than 200 is a failed call, and the webhook's \`failurePolicy\` decides. The body is JSON:

    {"code": "BODY_NOT_JSON", "error": "the body is empty; POST an AdmissionReview as uncompressed JSON"}

The sentence never quotes the body of the request. The content type is \`text/plain\`, because the API server passes only text on: it writes it to its log
and, with \`failurePolicy: Fail\`, shows it to the person who creates the pod.

Two answers come from Node's HTTP server and have no body: 400 for a request without \`Host\`, and 417 for an expectation other than \`100-continue\`.

When a review cannot be decided because of a fault of transship, the answer is 200 and the pod is left as it is. The log has a line at level \`error\`, and
\`transship_reviews_total{result="failed"}\` counts it.`,
    codes: answerCodes,
  },
  {
    title: 'Credentials',
    text: 'Of pull secrets and of the token refresh of the controller, in its log, events and `/readyz`. The text never contains a password or a token.',
    codes: credentialCodes,
  },
  {
    title: 'Kubernetes API',
    text: 'A command prints them and ends. The controller logs them and tries again.',
    codes: kubernetesCodes,
  },
];

export function errorsReference(): string {
  return [introduction, ...sections.map(section)].join('\n');
}

function section({ title, text, codes }: Section): string {
  const hasStatus = Object.values(codes).some(({ status }) => status !== undefined);
  const head = ['Code', ...(hasStatus ? ['Status'] : []), 'When', 'What to do'];
  const rows = Object.entries(codes).map(([code, { status, when, remedy }]) =>
    [`\`${code}\``, hasStatus ? String(status ?? '') : null, when, asSentence(remedy)].filter((cell) => cell !== null),
  );
  const lines = [head, ...rows].map((cells) => `| ${cells.join(' | ')} |`).toSpliced(1, 0, `|${'---|'.repeat(head.length)}`);
  return `## ${title}\n\n${text}\n\n${lines.join('\n')}\n`;
}

function asSentence(clause: string): string {
  return clause === '' ? '' : `${clause[0]?.toUpperCase()}${clause.slice(1)}.`;
}
