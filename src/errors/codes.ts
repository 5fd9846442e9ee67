/**
 * Every error code, with its default remedy; source of docs/reference/errors.md. Codes are stable, sentences may change. Retired codes are
 * not reused.
 */

export interface CodeEntry {
  /** HTTP status, for responses of the webhook. */
  readonly status?: number;
  /** When it occurs: a sentence in Markdown. */
  readonly when: string;
  /** What to do: a clause at the end of messages. */
  readonly remedy: string;
}

/** Responses of `serve` other than 200. The remedy is sent to the client. */
export const answerCodes = {
  BODY_NOT_JSON: {
    status: 400,
    when: 'The body is empty, cut off, or not JSON.',
    remedy: 'POST an AdmissionReview as uncompressed JSON',
  },
  BODY_ENCODED: {
    status: 400,
    when: 'The request has a `Content-Encoding`, such as gzip.',
    remedy: 'send the body without Content-Encoding',
  },
  REVIEW_INVALID: {
    status: 400,
    when: 'The body is JSON, but not an AdmissionReview of admission.k8s.io/v1 with a request, a uid and an operation. Also `rewrite --review`.',
    remedy: 'POST an AdmissionReview of admission.k8s.io/v1',
  },
  REQUEST_INVALID: {
    status: 400,
    when: 'Not an HTTP/1.1 request, an invalid URL or content type, or a body shorter than its `Content-Length`.',
    remedy: 'check the request line, headers and body length',
  },
  CLIENT_CERTIFICATE_REQUIRED: {
    status: 403,
    when: '`--client-ca` is set, and the connection has no client certificate signed by that CA, or an expired one. [Configure the API server](https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/#authenticate-apiservers) to present one.',
    remedy: 'present a certificate that the client CA signed',
  },
  NOT_FOUND: { status: 404, when: 'Another method or path.', remedy: 'POST to /mutate or /shadow; GET /healthz or /readyz' },
  REQUEST_TOO_SLOW: {
    status: 408,
    when: 'The headers took more than 125 s, or the body more than 30 s.',
    remedy: 'send the whole request at once',
  },
  BODY_TOO_LARGE: {
    status: 413,
    when: 'The body has more than 37 MiB, the most that an API server sends: object and oldObject of 3 MiB with every byte escaped as six, and 1 MiB for the rest. Or more than three quarters of `--max-request-memory`. It is logged and counted in `transship_rejected_requests_total`.',
    remedy: 'give the container more memory, or --max-request-memory, when it was the API server that sent it',
  },
  HEADERS_TOO_LARGE: {
    status: 431,
    when: 'The request line and the headers have more than 16 KiB, or there are too many headers.',
    remedy: 'the request line and the headers have at most 16 KiB',
  },
  INTERNAL: {
    status: 500,
    when: 'A fault of transship; its stack is in the log. The command line prints the stack and ends with 2. Please report it.',
    remedy: 'see the log of the server',
  },
  OVERLOADED: {
    status: 503,
    when: '`--max-in-flight` reviews are in flight, `--max-request-memory` is in use, or the request was slow and its place was given to another. `Retry-After: 1`: the API server tries again within `timeoutSeconds` of the webhook. Add replicas, memory or CPU.',
    remedy: 'try again in a second',
  },
} as const satisfies Readonly<Record<string, CodeEntry>>;

/** Errors of every command. */
export const startCodes = {
  USAGE: {
    when: 'A flag, environment variable, argument, or a combination of these, that the command does not accept.',
    remedy: 'see --help of the command',
  },
  FILE_UNREADABLE: { when: 'A file does not exist, may not be read, or is not UTF-8 text.', remedy: 'check the path and its permissions' },
  POLICY_INVALID: {
    when: 'The policy or the file of resolved hosts cannot be read or has errors; each is printed with file, line and column. While `serve` or `controller` runs, a changed file like that is rejected, and the last good policy stays in force.',
    remedy: 'correct what follows',
  },
  IMPORT_INVALID: {
    when: 'A file that `import` reads is not of the format, or has what no policy can express; the place is printed with file, line and column.',
    remedy: 'correct what follows',
  },
  MANIFEST_INVALID: {
    when: 'A manifest is not YAML or JSON, or cannot be decided as a whole. Nothing is printed to standard output.',
    remedy: 'correct it; kubectl apply --dry-run=client shows how kubectl reads it',
  },
  TLS_PAIR_INVALID: {
    when: 'The certificate, its key or the client CA cannot be read, do not belong together, or the certificate has expired. While `serve` runs, the last good files stay in use.',
    remedy: 'write both files of one valid pair',
  },
  ADDRESS_UNAVAILABLE: {
    when: 'A port is in use, needs a privilege, or the address is not one of this machine.',
    remedy: 'choose another address or port',
  },
  OUTPUT_FAILED: {
    when: 'Standard output or standard error cannot be written, as on a full disk. A reader that has closed its end of a pipe is no error.',
    remedy: 'check the space and the permissions of where the output goes',
  },
} as const satisfies Readonly<Record<string, CodeEntry>>;

/** Pull secrets and the controller's token refresh. */
export const credentialCodes = {
  SECRET_TYPE: {
    when: 'The Secret has another type than `kubernetes.io/dockerconfigjson` or `kubernetes.io/dockercfg`.',
    remedy: 'create it with `kubectl create secret docker-registry`',
  },
  SECRET_UNREADABLE: {
    when: 'The data of the Secret is missing, or not a docker config that a kubelet reads; the message names the entry and the field.',
    remedy: 'create it again with `kubectl create secret docker-registry`',
  },
  SECRET_WITHOUT_AUTHS: {
    when: 'None of its entries has a password; a kubelet can use neither a credential store nor an identity token.',
    remedy: 'create it again with `kubectl create secret docker-registry`',
  },
  CREDENTIAL_INVALID: {
    when: 'A host, user name or password that a pull secret cannot hold, or a registry whose host does not fit its cloud.',
    remedy: 'correct the credential',
  },
  TOKEN_REFUSED: { when: 'The cloud did not issue a token.', remedy: 'check the identity and the rights of the controller' },
  TOKEN_UNREADABLE: {
    when: 'The answer of the cloud holds no usable token.',
    remedy: "check the cloud's status page; report it when it stays",
  },
  TOKEN_EXPIRED: { when: 'The token had already expired when it arrived.', remedy: 'check the clock of the node' },
  TOKEN_TIMEOUT: { when: 'The cloud did not answer in time.', remedy: "check the network path to the cloud's endpoint" },
} as const satisfies Readonly<Record<string, CodeEntry>>;

/** Calls to the API server. */
export const kubernetesCodes = {
  CLUSTER_CONFIG_INVALID: {
    when: 'There is no usable kubeconfig or service account.',
    remedy: 'name a kubeconfig that kubectl accepts, or run in a pod with a service account',
  },
  OBJECT_NOT_FOUND: {
    when: 'A command was asked about an object that the cluster does not have.',
    remedy: 'check its name, and name its namespace with -n',
  },
  CLUSTER_UNREACHABLE: {
    when: 'The API server that the kubeconfig names does not answer, or its certificate is not trusted.',
    remedy: 'check that `kubectl version` works with the same kubeconfig and context',
  },
  KUBERNETES_API_ERROR: {
    when: 'The API server answered with another status than 2xx; the message has it. 401 and 403: check the credentials and their rights. Others pass, and the controller tries again.',
    remedy: '',
  },
  API_RESPONSE_INVALID: {
    when: 'A response with status 2xx that is not one of Kubernetes: a page of a proxy, a login page, or a list without a resourceVersion.',
    remedy: 'check that the address is that of an API server, and that no proxy responds in its place',
  },
  RESOURCE_PATH_UNKNOWN: { when: 'A fault of transship: a kind without a path.', remedy: 'please report it' },
  WATCH_LINE_INVALID: {
    when: 'A watch delivered a line that is cut off or too long. It starts again by itself.',
    remedy: 'nothing, unless it goes on for minutes',
  },
  WATCH_HISTORY_CHANGED: {
    when: 'The history of the API server went back, as after a restore from a backup. The watch lists again by itself.',
    remedy: 'nothing, unless it goes on for minutes',
  },
  WATCH_IDLE_TIMEOUT: {
    when: 'A watch received nothing, not even a bookmark. It reconnects by itself.',
    remedy: 'nothing, unless it goes on for minutes',
  },
  WATCH_CLOSED: { when: 'The watch was closed before its first list was complete; occurs at shutdown.', remedy: 'nothing' },
} as const satisfies Readonly<Record<string, CodeEntry>>;

const all = { ...answerCodes, ...startCodes, ...credentialCodes, ...kubernetesCodes };

export type ErrorCode = keyof typeof all;
export type CredentialErrorCode = keyof typeof credentialCodes;

export const errorCodes: Readonly<Record<ErrorCode, CodeEntry>> = all;
