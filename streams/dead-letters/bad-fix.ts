/** The fix can't be meant. The message says what to change. */
export class BadFix extends Error {
  override readonly name = 'BadFix'
}
