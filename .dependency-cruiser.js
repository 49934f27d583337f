/**
 * The direction of imports (docs/architecture.md): a packet's way through the program, one way only.
 * Each folder lists what it may import; everything else is an error.
 */
// Leaves without a domain, which anybody may use.
const everybodyMay = [
  'border',
  'database',
  'telemetry',
  'errors.ts',
  'config.ts',
  'random.ts',
  'byte-range.ts',
  'pulse.ts',
]
const mayImport = {
  intake: ['ledger', 'calls'],
  ledger: ['calls'],
  calls: [],
  recording: ['ledger', 'calls'],
  analysis: ['recording', 'ledger', 'calls'],
  feed: ['calls'],
  system: ['calls'],
  http: ['intake', 'ledger', 'calls', 'analysis', 'recording', 'feed'],
  border: [],
  database: [],
  telemetry: [],
  simulator: [],
  doctor: ['simulator'],
}
const leaves = ['telemetry']

const rules = Object.entries(mayImport).map(([folder, allowed]) => ({
  name: `${folder}-imports-only-what-comes-after-it`,
  severity: 'error',
  from: { path: `^src/${folder}/` },
  to: {
    path: '^src/',
    pathNot: [
      `^src/${folder}/`,
      ...allowed.map((name) => `^src/${name}/`),
      ...(leaves.includes(folder) ? [] : everybodyMay.map((name) => `^src/${name}`)),
    ],
  },
}))

export default {
  forbidden: [
    ...rules,
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'nobody-imports-the-composition-root',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/(cli/|gateway\\.ts)' },
      to: { path: '^src/(gateway\\.ts|cli/)' },
    },
    {
      name: 'product-never-imports-tests',
      severity: 'error',
      from: { path: '^src/' },
      to: { path: '^(test|bench|scripts)/' },
    },
  ],
  options: {
    parser: 'swc',
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default'],
    },
  },
}
