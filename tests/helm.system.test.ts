/**
 * The chart in deploy/helm, rendered by a real Helm: what Kubernetes would be given is valid for it and keeps to the rules of the house (nothing as root, nothing written, no secret in sight, nobody reached who need
 * not be), and wrong values are refused with a sentence. No cluster is had here: what only one can show (images that start, probes that answer) is not shown.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { cp, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { parse, parseAllDocuments } from 'yaml'
import { z } from 'zod'
import { withHelm } from '../cli/servers/testing/with-helm.ts'
import { withManifestTools } from '../cli/servers/testing/with-manifest-tools.ts'
import { loadConfig, VARIABLES } from '../db/config.ts'

const CHART = fileURLToPath(new URL('../deploy/helm/streamforge', import.meta.url))
const RULES = fileURLToPath(new URL('../observability/prometheus/rules', import.meta.url))
const FROM_TERRAFORM = fileURLToPath(new URL('./support/from-terraform.yaml', import.meta.url))
/** The oldest that the chart says it is for, and the newest whose schemas there are. */
const KUBERNETES = ['1.30.0', '1.37.0']
const ROLES = ['cdc', 'edge', 'lake-writer', 'streams', 'worker']

interface Manifest {
  apiVersion: string
  kind: string
  metadata: { name: string; labels: Record<string, string>; annotations?: Record<string, string> }
  // Each kind has its own; what a test reads of it, it holds to.
  // biome-ignore lint/suspicious/noExplicitAny: manifests of many kinds are walked here
  spec?: any
  data?: Record<string, string>
  automountServiceAccountToken?: boolean
}
type Pod = { manifest: Manifest; labels: Record<string, string>; spec: Manifest['spec'] }

const values = (name: string): string => join(CHART, `values-${name}.yaml`)
const set = (...pairs: string[]): string[] => pairs.flatMap((pair) => ['--set', pair])

/** What may be switched, in as few renderings as show each once. */
const VARIANTS: Readonly<Record<string, string[]>> = {
  dev: ['-f', values('dev')],
  staging: ['-f', values('staging'), '-f', FROM_TERRAFORM],
  prod: ['-f', values('prod'), '-f', FROM_TERRAFORM],
  'everything else on': [
    '-f',
    values('dev'),
    ...set(
      'fullnameOverride=analytics,image.digest=sha256:3b9f1c0d2e4a5b6c7d8e9f00112233445566778899aabbccddeeff0011223344',
      'autoscaling.edge.enabled=true,autoscaling.streams.by=cpu,trino.enabled=true,secrets.reloader=true',
      'settings.KAFKA_SASL_MECHANISM=scram-sha-512,settings.KAFKA_TLS=true',
      'telemetry.endpoint=http://otel-collector.observability.svc:4318,telemetry.ratio=0.1',
      'networkPolicy.dependencies.trino.to[0].podSelector.matchLabels.app=trino',
      'roles.cdc.enabled=true,settings.STREAMFORGE_CDC_TABLES=public.products\\,public.things,warehouse.enabled=true',
      'networkPolicy.dependencies.cdcSource.to[0].ipBlock.cidr=10.1.0.5/32,networkPolicy.dependencies.cdcSource.ports={5433}',
      'bigquery.enabled=true,settings.BIGQUERY_DATASET=example-project.lake,settings.BIGQUERY_CONNECTION=example-project.eu.lake',
      'settings.STREAMFORGE_OBJECTS_URL=gs://streamforge/dev,settings.S3_ENDPOINT=,networkPolicy.dependencies.bigquery.to[0].ipBlock.cidr=199.36.153.8/30',
      'networkPolicy.dependencies.warehouse.to[0].ipBlock.cidr=10.1.0.6/32,networkPolicy.dependencies.warehouse.ports={5434}',
      'certificates.configMap=authority,foreignTopics.configMap=foreign-topics',
      'ingress.enabled=true,ingress.host=events.example.com,ingress.tlsSecretName=events-tls',
      'roles.worker.scratch.storageClassName=fast,imagePullSecrets[0].name=registry,roles.edge.secretName=edge-only',
      'monitoring.podMonitors.enabled=true,monitoring.rules.enabled=true,monitoring.rules.labels.release=prometheus',
    ),
  ],
  'edge alone': [
    '-f',
    values('dev'),
    ...set(
      'roles.streams.enabled=false,roles.lake-writer.enabled=false,roles.worker.enabled=false',
      'jobs.migrate.enabled=false,jobs.topics.enabled=false,podDisruptionBudget.enabled=false,networkPolicy.enabled=false',
    ),
  ],
}
const names = Object.keys(VARIANTS)

/** Settings that a pod is not given, and why. */
const NOT_IN_A_POD: Readonly<Record<string, string>> = {
  STREAMFORGE_CDC: 'of the platform in one process; here roles.cdc.enabled',
  STREAMFORGE_LAKE: 'likewise; here roles.lake-writer.enabled',
  STREAMFORGE_WORKFLOWS: 'likewise; here roles.worker.enabled',
  STREAMFORGE_RATE: 'of the simulator, which comes with the platform in one process',
  STREAMFORGE_TOKEN: 'of commands that ask an edge elsewhere',
  STREAMFORGE_IMPORT_DIR: 'a folder of one machine; files to be imported lie below imports/ in the object store',
  KAFKA_CLIENT_ID: 'a name for logs and quotas of Kafka, where each role is told by its user',
  AWS_SESSION_TOKEN: 'of credentials that end while the pod goes on',
  GCE_METADATA_HOST: 'it is where every pod of GKE finds it',
  STREAMFORGE_SERVERS_DIR: 'of servers that tests and the cluster form on one machine fetch',
  XDG_CACHE_HOME: 'likewise',
  JAVA_HOME: 'likewise',
  CI: 'of tests',
}

const helm = withHelm()
const { kubernetesProblems } = withManifestTools()
const rendered = new Map<string, Promise<Manifest[]>>()

const template = (args: readonly string[]) =>
  helm.run(['template', 'sf', CHART, '--namespace', 'streamforge', '--kube-version', KUBERNETES[0]!, ...args])

function manifestsOf(variant: string): Promise<Manifest[]> {
  const once = async (): Promise<Manifest[]> => {
    const { code, stdout, stderr } = await template(VARIANTS[variant]!)
    expect(code, stderr).toBe(0)
    return parseAllDocuments(stdout).map((document) => {
      expect(document.errors).toEqual([])
      return document.toJS() as Manifest
    })
  }
  const known = rendered.get(variant) ?? once()
  rendered.set(variant, known)
  return known
}

const ofKind = (manifests: readonly Manifest[], kind: string): Manifest[] => manifests.filter((m) => m.kind === kind)
const componentOf = ({ metadata }: Manifest): string => metadata.labels['app.kubernetes.io/component']!

function podsOf(manifests: readonly Manifest[]): Pod[] {
  return manifests.flatMap((manifest): Pod[] => {
    if (manifest.kind === 'Pod') return [{ manifest, labels: manifest.metadata.labels, spec: manifest.spec }]
    const template = manifest.spec?.template
    return template?.spec?.containers ? [{ manifest, labels: template.metadata.labels, spec: template.spec }] : []
  })
}
const podOf = (manifests: readonly Manifest[], role: string): Pod =>
  podsOf(manifests).find(({ manifest }) => componentOf(manifest) === role)!

/** Whether a selector's `matchLabels` choose these labels; without any it chooses all. */
const chooses = (selector: { matchLabels?: Record<string, string> }, labels: Record<string, string>): boolean =>
  Object.entries(selector.matchLabels ?? {}).every(([name, value]) => labels[name] === value)

const secretsOf = ({ spec }: Pod): string[] =>
  (spec.containers[0].env ?? []).flatMap((e: { name: string; valueFrom?: unknown }) => (e.valueFrom ? [e.name] : []))

/** What is set openly: by the ConfigMap, or in the pod itself. */
function settingsOf(pod: Pod, manifests: readonly Manifest[]): Record<string, string> {
  const { env = [], envFrom = [] } = pod.spec.containers[0]
  const settings: Record<string, string> = {}
  for (const { configMapRef } of envFrom)
    Object.assign(settings, ofKind(manifests, 'ConfigMap').find((m) => m.metadata.name === configMapRef.name)!.data)
  for (const { name, value } of env) if (value !== undefined) settings[name] = value
  return settings
}

test.each(names)('%s: Helm finds nothing to complain about', async (variant) => {
  const { code, stdout } = await helm.run([
    'lint',
    '--strict',
    '--kube-version',
    KUBERNETES[0]!,
    CHART,
    ...VARIANTS[variant]!,
  ])
  expect(stdout).not.toMatch(/\[(WARNING|ERROR)\]/)
  expect(code, stdout).toBe(0)
})

/** The part of these resources that the chart uses: their schemas are in no package for Kubernetes itself. From the documentation of KEDA 2.22, Prometheus operator, Gateway API v1, External Secrets v1. */
const duration = z.string().regex(/^\d+[smh]$/)
const text = z.string().min(1)
const EXTENSIONS: Readonly<Record<string, z.ZodType>> = {
  'keda.sh/v1alpha1 ScaledObject': z.strictObject({
    scaleTargetRef: z.strictObject({ name: text }),
    minReplicaCount: z.int().positive(),
    maxReplicaCount: z.int().max(12),
    pollingInterval: z.int(),
    fallback: z.strictObject({ failureThreshold: z.int(), replicas: z.int() }),
    advanced: z.strictObject({ horizontalPodAutoscalerConfig: z.strictObject({ behavior: z.looseObject({}) }) }),
    triggers: z.tuple([
      z.strictObject({
        type: z.literal('kafka'),
        // All of its metadata is text.
        metadata: z.strictObject({
          bootstrapServers: text,
          consumerGroup: z.literal('streamforge-streams'),
          lagThreshold: z.string().regex(/^\d+$/),
          offsetResetPolicy: z.enum(['earliest', 'latest']),
          sasl: z.enum(['plaintext', 'scram_sha256', 'scram_sha512']).optional(),
          tls: z.enum(['enable', 'disable']),
        }),
        authenticationRef: z.strictObject({ name: text }).optional(),
      }),
    ]),
  }),
  'keda.sh/v1alpha1 TriggerAuthentication': z.strictObject({
    secretTargetRef: z.array(
      z.strictObject({ parameter: z.enum(['username', 'password']), name: text, key: z.string() }),
    ),
  }),
  'monitoring.coreos.com/v1 PodMonitor': z.strictObject({
    selector: z.looseObject({}),
    podMetricsEndpoints: z.array(
      z.strictObject({
        port: z.enum(['http', 'metrics']),
        path: z.literal('/metrics'),
        interval: duration,
        relabelings: z.array(z.strictObject({ targetLabel: z.literal('job'), replacement: text })),
      }),
    ),
  }),
  'monitoring.coreos.com/v1 PrometheusRule': z.strictObject({
    groups: z.array(z.looseObject({ name: text, rules: z.array(z.looseObject({ expr: text })).min(1) })).min(1),
  }),
  'gateway.networking.k8s.io/v1 HTTPRoute': z.strictObject({
    parentRefs: z.array(z.strictObject({ name: text, namespace: text, sectionName: text })),
    hostnames: z.array(z.hostname()),
    rules: z.array(
      z.strictObject({
        matches: z.array(z.strictObject({ path: z.strictObject({ type: z.literal('PathPrefix'), value: text }) })),
        backendRefs: z.array(z.strictObject({ name: text, port: z.int() })),
      }),
    ),
  }),
  'external-secrets.io/v1 SecretStore': z.strictObject({
    provider: z.strictObject({
      gcpsm: z.strictObject({
        projectID: text,
        auth: z.strictObject({
          workloadIdentity: z.strictObject({
            clusterLocation: text,
            clusterName: text,
            serviceAccountRef: z.strictObject({ name: text }),
          }),
        }),
      }),
    }),
  }),
  'external-secrets.io/v1 ExternalSecret': z.strictObject({
    refreshInterval: duration,
    secretStoreRef: z.strictObject({ name: text, kind: z.enum(['SecretStore', 'ClusterSecretStore']) }),
    target: z.strictObject({ name: text, creationPolicy: z.literal('Owner') }),
    dataFrom: z.tuple([z.strictObject({ extract: z.strictObject({ key: text }) })]),
  }),
}

test('every manifest is what Kubernetes takes, by its schemas of the oldest and the newest version; those of operators have the shape that they document', async () => {
  const all = (await Promise.all(names.map(manifestsOf))).flat()
  const extensions = all.filter((m) => `${m.apiVersion} ${m.kind}` in EXTENSIONS)
  expect(await kubernetesProblems(all, KUBERNETES)).toEqual(
    extensions.flatMap((m) => KUBERNETES.map(() => `unknown: ${m.apiVersion} ${m.kind}`)),
  )
  for (const { apiVersion, kind, metadata, spec } of extensions) {
    const parsed = EXTENSIONS[`${apiVersion} ${kind}`]!.safeParse(spec)
    expect(parsed.error?.issues, `${kind} ${metadata.name}`).toBeUndefined()
  }
  expect(new Set(extensions.map((m) => `${m.apiVersion} ${m.kind}`))).toEqual(new Set(Object.keys(EXTENSIONS)))
})

describe.each(names)('%s', (variant) => {
  test('a pod may do as little as can be: not as root, nothing written but to its own folders, no token, no further rights', async () => {
    const manifests = await manifestsOf(variant)
    const pods = podsOf(manifests)
    expect(pods.length).toBeGreaterThan(1)
    for (const { spec } of pods) {
      expect(spec).toMatchObject({
        automountServiceAccountToken: false,
        enableServiceLinks: false,
        securityContext: {
          runAsNonRoot: true,
          runAsUser: expect.any(Number),
          seccompProfile: { type: 'RuntimeDefault' },
        },
      })
      expect(spec.securityContext.runAsUser).toBeGreaterThan(0)
      expect(spec.hostNetwork ?? spec.hostPID ?? spec.hostIPC).toBeUndefined()
      for (const container of [...spec.containers, ...(spec.initContainers ?? [])]) {
        expect(container.securityContext).toEqual({
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ['ALL'] },
        })
        expect(container.image).toMatch(/:(?!latest$)[\w.-]+$|@sha256:[0-9a-f]{64}$/)
        for (const amount of ['cpu', 'memory', 'ephemeral-storage']) {
          expect(container.resources.requests[amount]).toBeDefined()
          expect(container.resources.limits[amount]).toBeDefined()
        }
        const mounted = container.volumeMounts.map((m: { name: string }) => m.name)
        expect(mounted.sort()).toEqual(spec.volumes.map((v: { name: string }) => v.name).sort())
      }
      for (const volume of spec.volumes) expect(volume.hostPath ?? volume.secret).toBeUndefined()
    }
    const accounts = ofKind(manifests, 'ServiceAccount')
    for (const account of accounts) expect(account.automountServiceAccountToken).toBe(false)
    const known = accounts.map((m) => m.metadata.name)
    for (const { spec } of pods) expect(known).toContain(spec.serviceAccountName)
    // One account for each kind of pod.
    expect(new Set(pods.map(({ spec }) => spec.serviceAccountName)).size).toBe(pods.length)
    expect(manifests.filter(({ kind }) => /Role/.test(kind))).toEqual([])
  })

  test('no secret is made or said: each comes by name from a Secret, and a role has none that it does not need', async () => {
    const manifests = await manifestsOf(variant)
    expect(ofKind(manifests, 'Secret')).toEqual([])
    for (const pod of podsOf(manifests)) {
      for (const [name, value] of Object.entries(settingsOf(pod, manifests))) {
        expect(name).not.toMatch(/PASSWORD|SECRET|WRITE_KEY|TOKEN|(?<!OBJECTS|TRACE|UI)_URL|ACCESS_KEY/)
        expect(value).not.toMatch(/:\/\/[^/]*@/)
      }
    }
    const kafka = ['KAFKA_SASL_USERNAME', 'KAFKA_SASL_PASSWORD'].filter(() => !['dev', 'edge alone'].includes(variant))
    const s3 = ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY']
    const trino = variant === 'everything else on' ? ['TRINO_URL'] : []
    const warehouse = ['dev', 'edge alone'].includes(variant) ? [] : ['WAREHOUSE_URL']
    const expected: Record<string, string[]> = {
      edge: ['DATABASE_URL', 'REDIS_URL', 'SCHEMA_REGISTRY_URL', ...s3, ...kafka],
      streams: ['DATABASE_URL', 'REDIS_URL', 'SCHEMA_REGISTRY_URL', ...s3, ...kafka],
      'lake-writer': ['DATABASE_URL', 'SCHEMA_REGISTRY_URL', ...s3, ...kafka],
      // It writes into the log who is to be forgotten.
      worker: ['DATABASE_URL', ...s3, ...kafka, ...trino, ...warehouse],
      // Of the database that it follows alone.
      cdc: ['CDC_SOURCE_URL', ...kafka],
      migrate: ['DATABASE_URL'],
      topics: kafka,
      doctor: ['STREAMFORGE_WRITE_KEY', 'STREAMFORGE_JWT_SECRET'],
    }
    expected.edge!.push('STREAMFORGE_WRITE_KEY', 'STREAMFORGE_JWT_SECRET', 'STREAMFORGE_ADMIN_PASSWORD')
    for (const pod of podsOf(manifests))
      expect(secretsOf(pod).sort(), componentOf(pod.manifest)).toEqual(expected[componentOf(pod.manifest)]!.sort())
  })

  test('every process understands what it is told: its settings and secrets are names of db/config.ts, and together they are right', async () => {
    const manifests = await manifestsOf(variant)
    const known = new Set(VARIABLES)
    const others = ['OTEL_EXPORTER_OTLP_ENDPOINT', 'OTEL_TRACES_SAMPLER_ARG', 'NODE_EXTRA_CA_CERTS']
    for (const pod of podsOf(manifests)) {
      const settings = settingsOf(pod, manifests)
      const secrets = secretsOf(pod)
      for (const name of [...Object.keys(settings), ...secrets]) expect([...known, ...others]).toContain(name)
      const config = loadConfig({ ...settings, ...Object.fromEntries(secrets.map((name) => [name, SECRETS[name]])) })
      const role = componentOf(pod.manifest)
      expect(config.dataDir).toBe('/data')
      if (!ROLES.includes(role)) continue
      expect(config.host).toBe('0.0.0.0')
      expect(role === 'edge' ? config.port : config.metricsPort).toBe(pod.spec.containers[0].ports[0].containerPort)
    }
    expect(
      Object.keys(parse(readFileSync(join(CHART, 'values.yaml'), 'utf8')).settings).filter((n) => !known.has(n)),
    ).toEqual([])
  })

  test('a role is asked where it answers: whether it lives by what no other server can make fail, whether it is ready by its health', async () => {
    const manifests = await manifestsOf(variant)
    for (const { spec, manifest } of podsOf(manifests).filter((p) => p.manifest.kind === 'Deployment')) {
      const [container] = spec.containers
      const role = componentOf(manifest)
      expect(container.args).toEqual(role === 'cdc' ? ['cdc', 'start'] : [role])
      const [port] = container.ports
      const path = role === 'edge' ? '/health' : '/metrics'
      expect(container.startupProbe.httpGet).toEqual({ path, port: port.name })
      expect(container.livenessProbe.httpGet).toEqual({ path, port: port.name })
      expect(container.readinessProbe.httpGet).toEqual({ path: '/health', port: port.name })
      // What a role itself takes to end (20 s), and the pause before it.
      const pause = container.lifecycle?.preStop.sleep.seconds ?? 0
      expect(spec.terminationGracePeriodSeconds).toBeGreaterThanOrEqual(pause + 20 + 5)
    }
  })

  test('whatever selects pods selects those that it means, and all of them', async () => {
    const manifests = await manifestsOf(variant)
    const pods = podsOf(manifests)
    const selectedBy = (selector: { matchLabels?: Record<string, string> }) =>
      pods.filter(({ labels }) => chooses(selector, labels)).map(({ manifest }) => componentOf(manifest))
    for (const deployment of ofKind(manifests, 'Deployment')) {
      const role = componentOf(deployment)
      expect(selectedBy(deployment.spec.selector)).toEqual([role])
      for (const spread of deployment.spec.template.spec.topologySpreadConstraints)
        expect(selectedBy(spread.labelSelector)).toEqual([role])
    }
    for (const kind of ['PodDisruptionBudget', 'PodMonitor'])
      for (const one of ofKind(manifests, kind)) expect(selectedBy(one.spec.selector)).toEqual([componentOf(one)])
    for (const service of ofKind(manifests, 'Service'))
      expect(selectedBy({ matchLabels: service.spec.selector })).toEqual(['edge'])
    const running = ofKind(manifests, 'Deployment').map(componentOf)
    // Of one pod that must stay one, a budget would protect nothing or hold up every drain.
    if (variant !== 'edge alone')
      expect(ofKind(manifests, 'PodDisruptionBudget').map(componentOf)).toEqual(running.filter((r) => r !== 'cdc'))
    const targets = [...ofKind(manifests, 'HorizontalPodAutoscaler'), ...ofKind(manifests, 'ScaledObject')]
    for (const { spec } of targets) {
      const target = ofKind(manifests, 'Deployment').find((m) => m.metadata.name === spec.scaleTargetRef.name)
      // Two that say how many there are would fight.
      expect(target?.spec).not.toHaveProperty('replicas')
    }
    expect(ofKind(manifests, 'Deployment').filter(({ spec }) => spec.replicas === undefined)).toHaveLength(
      targets.length,
    )
  })

  test('a memory limit has room for what its process was measured to take', async () => {
    const manifests = await manifestsOf(variant)
    for (const pod of podsOf(manifests)) {
      const { requests, limits } = pod.spec.containers[0].resources
      for (const amount of ['memory', 'ephemeral-storage'])
        expect(mebibytes(limits[amount])).toBeGreaterThanOrEqual(mebibytes(requests[amount]))
      const scratch = pod.spec.volumes.find((v: { name: string }) => v.name === 'data').emptyDir?.sizeLimit
      if (scratch) expect(mebibytes(limits['ephemeral-storage'])).toBeGreaterThan(mebibytes(scratch))
    }
    if (variant === 'edge alone') return
    const worker = podOf(manifests, 'worker')
    const duckdbMb = Number(settingsOf(worker, manifests).STREAMFORGE_WORKER_MEMORY_MB)
    // Four activities at once, and the process itself (bench/README.md: 1,315 MiB with a limit of 1,024).
    expect(mebibytes(worker.spec.containers[0].resources.limits.memory)).toBeGreaterThanOrEqual(4 * duckdbMb + 300)
  })
})

test('every setting can be given to the pods that read it, or there is a reason why not', async () => {
  const manifests = await manifestsOf('everything else on')
  const { settings } = parse(readFileSync(join(CHART, 'values.yaml'), 'utf8'))
  const given = podsOf(manifests).flatMap((pod) => [...Object.keys(settingsOf(pod, manifests)), ...secretsOf(pod)])
  const reached = new Set([...Object.keys(settings), ...given])
  expect(VARIABLES.filter((name) => !reached.has(name)).sort()).toEqual(Object.keys(NOT_IN_A_POD).sort())
})

test('network policies: nothing but what is said, for every pod; to each server those and only those who need it', async () => {
  for (const variant of names.filter((name) => name !== 'edge alone')) {
    const manifests = await manifestsOf(variant)
    const policies = ofKind(manifests, 'NetworkPolicy')
    const [closed] = policies.filter(({ spec }) => spec.ingress === undefined && spec.egress === undefined)
    expect(closed?.spec.policyTypes).toEqual(['Ingress', 'Egress'])
    for (const { labels, manifest } of podsOf(manifests)) {
      expect(chooses(closed!.spec.podSelector, labels)).toBe(true)
      const own = policies.filter((policy) => policy !== closed && chooses(policy.spec.podSelector, labels))
      expect(own.map(componentOf)).toEqual([componentOf(manifest)])
    }
    for (const { spec } of policies.filter((policy) => policy !== closed)) {
      expect(spec.policyTypes).toEqual(['Ingress', 'Egress'])
      for (const { from } of spec.ingress ?? []) expect(from.length).toBeGreaterThan(0)
      for (const { to, ports } of spec.egress) {
        expect(to.length).toBeGreaterThan(0)
        expect(ports.length).toBeGreaterThan(0)
      }
    }
  }
  const all = await manifestsOf('everything else on')
  const reaching = (port: number): string[] =>
    ofKind(all, 'NetworkPolicy')
      .filter(({ spec }) =>
        spec.egress?.some((e: { ports: { port: number }[] }) => e.ports.some((p) => p.port === port)),
      )
      .map(componentOf)
      .sort()
  expect(reaching(9092)).toEqual(['cdc', 'edge', 'lake-writer', 'streams', 'topics', 'worker'])
  expect(reaching(5432)).toEqual(['edge', 'lake-writer', 'migrate', 'streams', 'worker'])
  expect(reaching(6379)).toEqual(['edge', 'streams'])
  expect(reaching(8081)).toEqual(['edge', 'lake-writer', 'streams'])
  expect(reaching(9000)).toEqual(['edge', 'lake-writer', 'streams', 'worker'])
  expect(reaching(7233)).toEqual(['worker'])
  expect(reaching(8443)).toEqual(['worker'])
  expect(reaching(5433)).toEqual(['cdc'])
  expect(reaching(5434)).toEqual(['worker'])
  // Of BigQuery, and of who tells a pod who it is at Google.
  for (const port of [443, 80, 988]) expect(reaching(port)).toEqual(['worker'])
  expect(reaching(4318)).toEqual(ROLES)
  expect(reaching(8080)).toEqual(['doctor'])
  // Jobs and the doctor are called by nobody, and only the edge by clients.
  const called = ofKind(all, 'NetworkPolicy').filter(({ spec }) => spec.ingress !== undefined)
  expect(called.map(componentOf)).toEqual(ROLES)
})

test('before an upgrade the tables come, then the topics, and before both what they need; a job that failed stays to be looked at', async () => {
  const manifests = await manifestsOf('prod')
  const weights = manifests
    .filter(({ metadata }) => metadata.annotations?.['helm.sh/hook']?.startsWith('pre-'))
    .map(({ kind, metadata }) => {
      expect(metadata.annotations!['helm.sh/hook']).toBe('pre-install,pre-upgrade')
      return [Number(metadata.annotations!['helm.sh/hook-weight']), `${kind} ${metadata.name}`] as const
    })
    .sort(([a], [b]) => a - b)
  const jobs = ['Job sf-migrate', 'Job sf-topics']
  expect(weights.map(([, name]) => name).filter((name) => name.startsWith('Job'))).toEqual(jobs)
  const first = Math.min(...weights.filter(([, name]) => jobs.includes(name)).map(([weight]) => weight))
  for (const job of ['migrate', 'topics'])
    for (const kind of ['ServiceAccount', 'NetworkPolicy', 'ExternalSecret'])
      expect(weights.find(([, name]) => name === `${kind} sf-${job}`)?.[0]).toBeLessThan(first)
  for (const job of ofKind(manifests, 'Job')) {
    expect(job.metadata.annotations!['helm.sh/hook-delete-policy']).toBe('before-hook-creation,hook-succeeded')
    expect(job.spec).toMatchObject({
      backoffLimit: 3,
      activeDeadlineSeconds: 600,
      template: { spec: { restartPolicy: 'Never' } },
    })
    // Its settings stand in itself: a ConfigMap of the release would come after it.
    expect(job.spec.template.spec.containers[0].envFrom).toBeUndefined()
  }
  expect(podOf(manifests, 'topics').spec.containers[0].args).toEqual(['topics', '--check'])
  const [doctor] = ofKind(manifests, 'Pod')
  expect(doctor!.metadata.annotations!['helm.sh/hook']).toBe('test')
  expect(doctor!.spec.containers[0].args).toEqual(['doctor', '--url', 'http://sf-edge:80'])
})

test('a database is followed by one process at most: the old one has ended before the new one begins; whoever follows none has nothing of it', async () => {
  const followed = ofKind(await manifestsOf('everything else on'), 'Deployment').find((m) => componentOf(m) === 'cdc')
  expect(followed?.spec).toMatchObject({ replicas: 1, strategy: { type: 'Recreate' } })
  expect(followed?.spec.strategy.rollingUpdate).toBeUndefined()
  const manifests = await manifestsOf('dev')
  expect(manifests.filter((m) => JSON.stringify(m).includes('cdc'))).toEqual([])
})

test('tables that are followed have topics that the job makes, and the worker is told the schema of its warehouse', async () => {
  const manifests = await manifestsOf('everything else on')
  const tables = { STREAMFORGE_CDC_TABLES: 'public.products,public.things' }
  for (const role of ['cdc', 'topics']) expect(settingsOf(podOf(manifests, role), manifests)).toMatchObject(tables)
  expect(settingsOf(podOf(manifests, 'worker'), manifests)).toMatchObject({ WAREHOUSE_SCHEMA: 'streamforge' })
})

test('the file of foreign topics is with all who read them or make them, or look at what could not be read of them', async () => {
  const manifests = await manifestsOf('everything else on')
  const told = podsOf(manifests).filter(
    (pod) => settingsOf(pod, manifests).STREAMFORGE_FOREIGN_TOPICS === '/config/foreign-topics.json',
  )
  expect(told.map(({ manifest }) => componentOf(manifest)).sort()).toEqual([
    'edge',
    'lake-writer',
    'streams',
    'topics',
    'worker',
  ])
  for (const { spec } of told) {
    expect(spec.volumes).toContainEqual({ name: 'config', configMap: { name: 'foreign-topics' } })
    expect(spec.containers[0].volumeMounts).toContainEqual({ name: 'config', mountPath: '/config', readOnly: true })
  }
})

test('what is run is the image of this version, as the user whom it is made for', async () => {
  const file = (name: string): string => readFileSync(fileURLToPath(new URL(`../${name}`, import.meta.url)), 'utf8')
  const chart = parse(readFileSync(join(CHART, 'Chart.yaml'), 'utf8'))
  expect(chart.appVersion).toBe(JSON.parse(file('package.json')).version)
  const { spec } = podOf(await manifestsOf('dev'), 'edge')
  expect(spec.containers[0].image).toBe(`streamforge:${chart.appVersion}`)
  const { runAsUser, runAsGroup } = spec.securityContext
  expect(file('Dockerfile')).toMatch(new RegExp(`^USER ${runAsUser}:${runAsGroup}$`, 'm'))
})

test('from outside the edge is reached by TLS alone', async () => {
  for (const variant of names)
    for (const { spec } of ofKind(await manifestsOf(variant), 'Ingress')) {
      const hosts = spec.rules.map((rule: { host: string }) => rule.host)
      expect(spec.tls.flatMap((tls: { hosts: string[] }) => tls.hosts)).toEqual(hosts)
    }
  for (const variant of ['staging', 'prod']) {
    const [route] = ofKind(await manifestsOf(variant), 'HTTPRoute')
    expect(route!.spec.parentRefs[0].sectionName).toBe('https')
  }
  for (const variant of names)
    expect(ofKind(await manifestsOf(variant), 'Service').filter(({ spec }) => spec.type !== 'ClusterIP')).toEqual([])
})

test('a changed setting makes new pods of the roles that read it, and of no others', async () => {
  const checksums = (manifests: readonly Manifest[]) =>
    Object.fromEntries(
      ofKind(manifests, 'Deployment').map((m) => [
        componentOf(m),
        m.spec.template.metadata.annotations['checksum/settings'],
      ]),
    )
  const { stdout } = await template([...VARIANTS.dev!, ...set('settings.REDIS_CLUSTER=true')])
  const after = checksums(parseAllDocuments(stdout).map((document) => document.toJS() as Manifest))
  const before = checksums(await manifestsOf('dev'))
  expect(ROLES.filter((role) => after[role] !== before[role])).toEqual(['edge', 'streams'])
})

test.each([
  ['a setting that nobody knows', ['settings.KAFKA_BROKER=kafka:9092'], /settings.*'KAFKA_BROKER' not allowed/],
  ['a value that can not be', ['settings.KAFKA_TLS=maybe'], /settings\/KAFKA_TLS.*must be one of 'true', 'false'/],
  ['a number out of its bounds', ['roles.edge.replicas=-1'], /roles\/edge\/replicas.*minimum/],
  [
    'too little time to drain',
    ['roles.streams.terminationGracePeriodSeconds=5'],
    /terminationGracePeriodSeconds.*minimum/,
  ],
  [
    'what is needed and missing',
    ['settings.KAFKA_BROKERS='],
    /settings\.KAFKA_BROKERS is needed by edge, lake-writer, streams, worker, topics, e\.g\. kafka-1\.example:9092/,
  ],
  ['two readers of one slot', ['roles.cdc.replicas=2'], /roles\.cdc\.replicas can't be set: .* has one reader/],
  [
    'a database that nobody may reach',
    ['roles.cdc.enabled=true', 'warehouse.enabled=true'],
    /dependencies\.cdcSource\.to must say where cdc may reach it.*\n- .*dependencies\.warehouse\.to must say where worker/,
  ],
  [
    'a BigQuery without a dataset',
    ['bigquery.enabled=true', 'networkPolicy.dependencies.bigquery.to[0].ipBlock.cidr=199.36.153.8/30'],
    /settings\.BIGQUERY_CONNECTION is needed by worker, e\.g\. my-project\.eu\.lake\.\n- settings\.BIGQUERY_DATASET is needed by worker/,
  ],
  ['an image that says not what it is', ['image.tag=latest'], /image\.tag=latest says not what runs/],
  [
    'a network open to all',
    ['networkPolicy.dependencies.trino.to[0].ipBlock.cidr=0.0.0.0/0'],
    /networkPolicy names 0\.0\.0\.0\/0/,
  ],
  [
    'a server without a place',
    ['telemetry.endpoint=http://otel:4318', 'networkPolicy.dependencies.telemetry.to=null'],
    /dependencies\.telemetry\.to must say where edge, lake-writer, streams, worker may reach it/,
  ],
  [
    'an ingress without TLS',
    ['ingress.enabled=true', 'ingress.host=events.example.com'],
    /ingress\.tlsSecretName is needed: the edge is not served without TLS/,
  ],
  [
    'a store that is not described',
    ['externalSecrets.enabled=true'],
    /externalSecrets\.google\.project is needed to make a store/,
  ],
  [
    'fewer at most than at least',
    ['autoscaling.edge.minReplicas=5', 'autoscaling.edge.maxReplicas=2'],
    /autoscaling\.edge\.minReplicas is above its maxReplicas/,
  ],
])('refused with a sentence: %s', async (_, pairs, sentence) => {
  const { code, stderr } = await template([...VARIANTS.dev!, ...set(...pairs)])
  expect(stderr).toMatch(sentence)
  expect(code).toBe(1)
})

test('a copy that has lost its link to the rules is refused with a sentence, not rendered without alerts', async () => {
  const copy = join(helm.folder, 'copy')
  await cp(CHART, copy, { recursive: true, filter: (path) => !path.endsWith('/rules') })
  // As archives and checkouts without symbolic links have it.
  await writeFile(join(copy, 'rules'), '../../../observability/prometheus/rules')
  const { code, stderr } = await helm.run(['template', 'sf', copy, '--kube-version', KUBERNETES[0]!, ...VARIANTS.prod!])
  expect(stderr).toMatch(/monitoring\.rules\.enabled is true, and this copy of the chart has no rules: /)
  expect(code).toBe(1)
})

test('the packaged chart brings the rules of Prometheus, as they stand in observability/', async () => {
  const { code, stdout, stderr } = await helm.run(['package', CHART, '--destination', helm.folder])
  expect(code, stderr).toBe(0)
  const archive = /saved it to: (.*)/.exec(stdout)![1]!
  const shown = await helm.run(['template', 'sf', archive, '--kube-version', KUBERNETES[0]!, ...VARIANTS.prod!])
  const manifests = parseAllDocuments(shown.stdout).map((document) => document.toJS() as Manifest)
  const files = readdirSync(RULES).filter((name) => name.endsWith('.yml') && !name.includes('.test.'))
  expect(files.length).toBeGreaterThan(0)
  expect(ofKind(manifests, 'PrometheusRule').map(({ spec }) => spec)).toEqual(
    files.sort().map((name) => parse(readFileSync(join(RULES, name), 'utf8'))),
  )
})

/** Such as a process takes. */
const SECRETS: Readonly<Record<string, string>> = {
  DATABASE_URL: 'postgres://streamforge:secret@db.example:5432/streamforge',
  REDIS_URL: 'redis://:secret@redis.example:6379',
  SCHEMA_REGISTRY_URL: 'http://user:secret@registry.example:8081',
  CDC_SOURCE_URL: 'postgres://cdc:secret@shop.example:5432/shop',
  WAREHOUSE_URL: 'postgres://streamforge:secret@warehouse.example:5432/analytics?sslmode=require',
  TRINO_URL: 'https://user:secret@trino.example:8443',
  AWS_ACCESS_KEY_ID: 'AKIAEXAMPLE',
  AWS_SECRET_ACCESS_KEY: 'secret',
  KAFKA_SASL_USERNAME: 'streamforge',
  KAFKA_SASL_PASSWORD: 'secret',
  STREAMFORGE_WRITE_KEY: 'wk_example',
  STREAMFORGE_JWT_SECRET: 'x'.repeat(32),
  STREAMFORGE_ADMIN_PASSWORD: 'a sentence to remember',
}

function mebibytes(amount: string): number {
  const [, count, unit] = /^(\d+)([KMG])i$/.exec(amount)!
  return (Number(count) * { K: 1, M: 1024, G: 1024 ** 2 }[unit as 'K' | 'M' | 'G']) / 1024
}
