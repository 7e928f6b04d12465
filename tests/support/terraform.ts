/** What Terraform itself makes of deploy/terraform without the provider of Google, which can't be had: the locals from which Kafka's topics and rights are made. */
import { readFileSync } from 'node:fs'
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { run } from '../../cli/servers/run.ts'

export const TERRAFORM = fileURLToPath(new URL('../../deploy/terraform', import.meta.url))

/** By topic. */
export type KafkaRights = Record<string, { client: string; operation: string }[]>

export interface EvaluatedKafka {
  roles: string[]
  kafka_clients: string[]
  kafka_rights: KafkaRights
  /** Who may join groups whose names begin so. */
  kafka_groups: Record<string, string>
  /** Who may have a producer's id, beside those who may write. */
  kafka_idempotent: string[]
  further_topics: Record<string, unknown>
}

/**
 * @param args further variables: `-var=name=value`
 * @throws Error where Terraform refuses them
 */
export async function evaluatedKafka(args: readonly string[], sourceUrl = ''): Promise<EvaluatedKafka> {
  const folder = await mkdtemp(join(tmpdir(), 'streamforge-terraform-'))
  try {
    await cp(join(TERRAFORM, 'variables.tf'), join(folder, 'variables.tf'))
    for (const name of ['project.tf', 'kafka.tf']) {
      const [locals] = /^locals \{\n.*?^\}\n/ms.exec(readFileSync(join(TERRAFORM, name), 'utf8'))!
      // It names resources.
      await writeFile(join(folder, name), locals.replace(/^ {2}object_clients = \{.*?^ {2}\}\n/ms, ''))
    }
    const names = ['roles', 'kafka_clients', 'kafka_rights', 'kafka_groups', 'kafka_idempotent', 'further_topics']
    const given = [`-var-file=${join(TERRAFORM, 'environments', 'prod.tfvars')}`, '-var=project=example-project']
    const { stdout, stderr } = await run('terraform', ['console', ...given, '-var=host=events.example.com', ...args], {
      cwd: folder,
      input: `jsonencode({${names.map((name) => `${name} = local.${name}`).join(', ')}})\n`,
      env: { TF_VAR_cdc_source_url: sourceUrl },
    })
    // It ends well also where it refuses what it is given.
    if (!stdout.startsWith('"')) throw new Error(stdout + stderr)
    return JSON.parse(JSON.parse(stdout) as string) as EvaluatedKafka
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
