/**
 * What reads the files of `deploy/` as those do whom they are for, without a network: the schemas of Kubernetes, and a parser of Terraform's language. Python programs, in an environment of their own.
 */
import { lastLines, run } from '../run.ts'
import { withPythonEnvironment } from './python-environment.ts'

export interface ManifestTools {
  /** Holds manifests against the schemas of some versions of Kubernetes, strictly: a field that is not there is a problem. @returns a sentence for each problem; `unknown: …` for what Kubernetes itself does not have */
  kubernetesProblems(manifests: readonly object[], versions: readonly string[]): Promise<string[]>
  /** @param files absolute paths of .tf and .tfvars. @returns for each what it says: blocks are lists of objects, literals are themselves, expressions are texts that begin with `=` */
  parseTerraform<T>(files: readonly string[]): Promise<T[]>
}

const VALIDATE = `import json, sys, functools
import kubernetes_validate, kubernetes_validate.utils as utils
utils.schema_contents = functools.cache(utils.schema_contents)
args = json.load(sys.stdin)
problems = []
for manifest in args['manifests']:
    name = manifest.get('kind', '?') + ' ' + manifest.get('metadata', {}).get('name', '?')
    for version in args['versions']:
        try:
            kubernetes_validate.validate(manifest, version, strict=True)
        except kubernetes_validate.ValidationError as error:
            problems.append(f"{name}, {version}: {'.'.join(map(str, error.path))}: {error.message}")
        except kubernetes_validate.SchemaNotFoundError:
            problems.append(f"unknown: {manifest['apiVersion']} {manifest['kind']}")
print(json.dumps(problems))`

const PARSE = `import json, sys, hcl2
def unquoted(text):
    if len(text) > 1 and text[0] == text[-1] == '"': return text[1:-1]
    return '=' + text[2:-1] if text.startswith('\${') and text.endswith('}') else text
def plain(value):
    if isinstance(value, dict): return {unquoted(name): plain(inner) for name, inner in value.items() if not name.startswith('__')}
    if isinstance(value, list): return [plain(inner) for inner in value]
    return unquoted(value) if isinstance(value, str) else value
answer = []
for path in json.load(sys.stdin):
    with open(path) as file:
        try:
            answer.append(plain(hcl2.load(file)))
        except Exception as error:
            sys.exit(f"{path}: {error}")
print(json.dumps(answer))`

/** Call at the top of a test file (or a describe): it registers the hooks. */
export function withManifestTools(): ManifestTools {
  const name = 'kubernetes-validate with python-hcl2'
  const interpreter = withPythonEnvironment({ kind: 'manifests', name, timeoutMs: 300_000 })

  async function ask<T>(script: string, input: unknown): Promise<T> {
    const result = await run(interpreter(), ['-I', '-c', script], { input: JSON.stringify(input), timeoutMs: 300_000 })
    if (result.code !== 0) throw new Error(`The Python script failed:\n${lastLines(result, 30)}`)
    return JSON.parse(result.stdout) as T
  }
  return {
    kubernetesProblems: (manifests, versions) => ask(VALIDATE, { manifests, versions }),
    parseTerraform: (files) => ask(PARSE, files),
  }
}
