// Import rules of the house: what each room may reach. ARCHITECTURE.md says why.
const room = (name, from, allowed) => ({
  name,
  severity: 'error',
  from: { path: from, pathNot: '\\.test\\.ts$|/testing/' },
  to: { path: '^(edge|streams|db|workflows|observability|cli|tests|bench)/', pathNot: allowed },
})
module.exports = {
  forbidden: [
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true, dependencyTypesNot: ['type-only'] } },
    {
      name: 'nobody-imports-a-main',
      severity: 'error',
      from: { pathNot: '^(cli|tests|bench)/|/testing/|\\.test\\.ts$|^streams/thread\\.ts$' },
      to: { path: '(^|/)(main|worker)\\.ts$' },
    },
    room(
      'edge',
      '^edge/',
      '^(edge|db|observability)/|^streams/(contract|time)/|^streams/(log/event-log|evidence/index|dead-letters/index)\\.ts$',
    ),
    room('contract', '^streams/contract/', '^streams/contract/'),
    room('time', '^streams/time/', '^streams/(contract|time)/'),
    room('operators', '^streams/operators/', '^streams/(contract|time|operators)/'),
    room('jobs', '^streams/jobs/', '^streams/(contract|time|operators|jobs)/'),
    room('log', '^streams/log/', '^streams/(contract|time|log)/|^db/lmdb\\.ts$|^observability/'),
    room('runtime', '^streams/runtime/', '^streams/|^db/(features|objects)/|^observability/'),
    room(
      'shadow',
      '^streams/shadow/',
      '^streams/(contract|time|operators|jobs|runtime|shadow)/|^streams/(topology|lake-writer/offsets)\\.ts$|^db/(lake|postgres)/',
    ),
    room(
      'evidence',
      '^streams/evidence/',
      '^streams/(contract|time|operators|jobs|runtime|dead-letters|evidence)/|^streams/(topology|log/event-log|lake-writer/offsets|shadow/index)\\.ts$|^db/lake/',
    ),
    // The ports that db/ implements are types, and the error classes they name (Fenced).
    room(
      'db',
      '^db/',
      '^db/|^streams/(contract|time)/|^streams/runtime/ports\\.ts$|^streams/log/event-log\\.ts$|^observability/',
    ),
    room('observability', '^observability/', '^observability/'),
    room(
      'workflows',
      '^workflows/',
      // Imports read files as the replay does, and fill the lake's tables as the lake-writer does.
      '^(workflows|db|observability)/|^streams/(contract|time|sources|lake-tables)/|^streams/(log/event-log|dead-letters/dead-letter|shadow/index)\\.ts$',
    ),
    // What runs in a workflow's sandbox is deterministic: no I/O, no clock. Activities are known there by their types alone.
    {
      name: 'definitions-are-pure',
      severity: 'error',
      from: { path: '^workflows/(definitions/|policy\\.ts$|input\\.ts$)', pathNot: '\\.test\\.ts$' },
      to: {
        pathNot:
          '^workflows/(definitions/|policy\\.ts$|input\\.ts$)|^node_modules/(@temporalio/(workflow|common)|zod)/',
        dependencyTypesNot: ['type-only'],
      },
    },
    {
      name: 'lake-by-its-index',
      severity: 'error',
      from: { pathNot: '^db/lake/|\\.test\\.ts$|/testing/|^tests/|^bench/' },
      to: { path: '^db/lake/(?!(rest/)?index\\.ts$)' },
    },
    {
      name: 'no-tests-in-product',
      severity: 'error',
      from: { pathNot: '\\.test\\.ts$|/testing/|^tests/|^bench/' },
      to: { path: '\\.test\\.ts$|/testing/|^tests/', pathNot: '^node_modules/' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      extensions: ['.ts', '.js', '.mjs', '.cjs'],
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
    },
  },
}
