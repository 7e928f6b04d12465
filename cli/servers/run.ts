/** Running a program to its end, for finding, fetching and asking servers. Its output is kept whole: only for programs that say little. */
import { spawn } from 'node:child_process'
import { stat } from 'node:fs/promises'

export interface ToolResult {
  code: number | null
  stdout: string
  stderr: string
}

export interface RunOptions {
  input?: string
  /** Added to this process's environment. */
  env?: Readonly<Record<string, string>>
  cwd?: string
  /** Ends it by SIGKILL. */
  timeoutMs?: number
  /** Ends it when aborted; then it has ended without a code, as one that was killed. */
  signal?: AbortSignal | undefined
}

/** @throws Error when it can't be started */
export function run(program: string, args: readonly string[], options: RunOptions = {}): Promise<ToolResult> {
  const { input = '', env, cwd, timeoutMs, signal } = options
  return new Promise((done, failed) => {
    const child = spawn(program, args, {
      stdio: 'pipe',
      ...(cwd && { cwd }),
      ...(env && { env: { ...process.env, ...env } }),
      ...(timeoutMs && { timeout: timeoutMs, killSignal: 'SIGKILL' as const }),
    })
    let stdout = ''
    let stderr = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text
    })
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text
    })
    const end = (): void => void child.kill('SIGTERM')
    signal?.addEventListener('abort', end, { once: true })
    if (signal?.aborted) end()
    child.once('error', failed).once('close', (code) => {
      signal?.removeEventListener('abort', end)
      done({ code, stdout, stderr })
    })
    child.stdin.on('error', () => {}) // one that ends without reading its input
    child.stdin.end(input)
  })
}

/** Whether the program can be started and ends well. */
export const works = (program: string, args: readonly string[]): Promise<boolean> =>
  run(program, args).then(
    ({ code }) => code === 0,
    () => false,
  )

/** The end of what it said, for messages. */
export const lastLines = ({ stdout, stderr }: ToolResult, count = 8): string =>
  (stdout + stderr).trim().split('\n').slice(-count).join('\n')

export const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  )
