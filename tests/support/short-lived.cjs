// For Nodes of system tests: the test run's own processes, and every one they start. Most live for seconds, in which V8's optimising compiler takes more than it gives (a tenth of
// their CPU time): so a function is optimised when it has run ten times as much as it must by itself. Node 20 alone: newer ones have a cheaper compiler between, and other flags.
const { setFlagsFromString } = require('node:v8')

if (process.versions.node.startsWith('20.')) setFlagsFromString('--interrupt-budget=660000')
