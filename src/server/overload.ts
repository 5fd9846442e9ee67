/** Overload limits. Beyond them the response is 503 with Retry-After, after which the API server retries. */
export interface OverloadLimits {
  readonly maxConnections: number;
  /** Reviews without a response. */
  readonly maxInFlight: number;
  /** Bytes that requests and their responses may hold together. */
  readonly maxRequestMemory: number;
}
