/** Runs before anything is drawn, so that a page in a chosen theme never flashes in the other. */
import { applyTheme, chosenTheme } from './theme.ts'

applyTheme(chosenTheme())
