/** What questions and small changes may send at most, for their routes' `middleware`. Ingestion has limits of its own. */
import { bodyLimit } from 'hono/body-limit'
import { Problem } from './problem.ts'

/** @param bytesMax of the body as it comes */
export const smallBody = (bytesMax = 16 * 1024) =>
  bodyLimit({
    maxSize: bytesMax,
    onError: () => {
      throw new Problem('body_too_large', `The body is larger than ${bytesMax} bytes.`)
    },
  })
