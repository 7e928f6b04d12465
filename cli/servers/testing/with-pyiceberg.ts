/**
 * PyIceberg for tests, as another reader and writer of the lake's tables: a virtual environment in the servers' cache, made once of `pyiceberg-requirements.txt`.
 */
import { lastLines, run } from '../run.ts'
import { withPythonEnvironment } from './python-environment.ts'

export interface PyIceberg {
  /**
   * Runs a script and gives what it answers.
   * @param script Python: `args` is what was given here, and `answer(value)` gives a value back, once; decimals, times and UUIDs become text, bytes hexadecimal text; whole
   *   numbers beyond 2^53 want str(), or JSON rounds them
   * @throws Error with Python's traceback when it fails, answers nothing, or takes longer than `timeoutMs` (two minutes)
   */
  python<T>(script: string, args?: unknown, options?: { timeoutMs?: number }): Promise<T>
}

const TIMEOUT_MS = 120_000
/** The answer is told from what libraries print by the line it stands on. */
const MARK = 'streamforge-answer:'
const PRELUDE = `import json as _json, sys as _sys
args = _json.loads(_sys.stdin.read())
def _plain(value):
    if isinstance(value, (bytes, bytearray)): return bytes(value).hex()
    if hasattr(value, 'isoformat'): return value.isoformat()
    return str(value)
def answer(value):
    print('\\n${MARK}' + _json.dumps(value, default=_plain), flush=True)
`

/** Call at the top of a test file (or a describe): it registers the hooks. */
export function withPyIceberg(): PyIceberg {
  const interpreter = withPythonEnvironment({ kind: 'pyiceberg', name: 'PyIceberg', timeoutMs: 900_000 })

  return {
    async python<T>(script: string, args: unknown = null, { timeoutMs = TIMEOUT_MS } = {}): Promise<T> {
      // Isolated from what the user has installed and configured; PyIceberg would read the home folder's .pyiceberg.yaml.
      const result = await run(interpreter(), ['-I', '-c', PRELUDE + script], {
        input: JSON.stringify(args),
        // Checksums that trail a chunked body are left unread by versitygw 1.8.0 at times, and then stand before the connection's next request.
        env: { PYICEBERG_HOME: '/nonexistent', AWS_REQUEST_CHECKSUM_CALCULATION: 'when_required' },
        timeoutMs,
      })
      const answer = result.stdout.split('\n').findLast((line) => line.startsWith(MARK))
      if (result.code === 0 && answer !== undefined) return JSON.parse(answer.slice(MARK.length)) as T
      const how = result.code === null ? `was ended after ${timeoutMs / 1_000} s` : `ended with ${result.code}`
      throw new Error(`The Python script ${how}${result.code === 0 ? ' and no answer' : ''}:\n${lastLines(result, 30)}`)
    },
  }
}
