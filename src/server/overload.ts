/** How much the server takes on at once. Beyond it the answer is 503 with Retry-After, which the API server tries again. */
export interface OverloadLimits {
  readonly maxConnections: number;
  /** Reviews that have begun and are not answered. */
  readonly maxInFlight: number;
  /** Bytes that requests and their responses may hold together. */
  readonly maxRequestMemory: number;
}
