/** The message of an error, on one line and without a full stop. */
export function messageOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.replace(/\n[^]*$/, '').replace(/\.$/, '');
}
