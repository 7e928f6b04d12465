/** The two ways in which a registration fails: one passes by itself, the other waits for a person. Both say in a sentence what is the matter. */

/** Google can't be reached, or asks for patience: it passes. */
export class GoogleUnavailable extends Error {
  override readonly name = 'GoogleUnavailable'
}

/** Somebody has to change a setting, a right or a table first: trying again does not help. */
export class CannotRegister extends Error {
  override readonly name = 'CannotRegister'
}
