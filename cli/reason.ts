/** Why something could not be asked, in the words of whoever knows: `fetch`, like Temporal's client, says only that it failed, and has the reason as its cause. */
export function reasonOf({ cause, message }: Error): string {
  return (cause instanceof Error && cause.message) || message
}
