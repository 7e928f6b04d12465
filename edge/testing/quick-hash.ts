/** Hashes of accounts in tests: bcrypt's, of its least cost. What asks for a password checks it a hundred times in a file, at a sixteenth of a second each with the cost of real ones. */
import bcrypt from 'bcryptjs'

const LEAST_COST = 4

export const quickHash = (password: string): Promise<string> => bcrypt.hash(password, LEAST_COST)
