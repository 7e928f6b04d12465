// Fetches Temporal's development server into a folder by the SDK's own download, and shows that it runs: node download.mjs FOLDER VERSION. In a process of its own, as the SDK loads a native library.
import { TestWorkflowEnvironment } from '@temporalio/testing'

const [downloadDir, version] = process.argv.slice(2)
const environment = await TestWorkflowEnvironment.createLocal({
  server: { executable: { type: 'cached-download', downloadDir, version, ttl: '365 days' } },
})
await environment.teardown()
process.exit(0)
