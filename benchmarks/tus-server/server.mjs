// A tus server of the makers' own parts: `node server.mjs DIRECTORY WORKERS` prints the port that it got.
import cluster from 'node:cluster'
import { FileStore } from '@tus/file-store'
import { Server } from '@tus/server'

const [directory, workers] = process.argv.slice(2)

if (cluster.isPrimary) {
  let starting = Number(workers)
  for (let i = 0; i < Number(workers); i++) cluster.fork()
  cluster.on('listening', (worker, address) => {
    if (--starting === 0) console.log(`tus-server listening on http://127.0.0.1:${address.port}`)
  })
  process.on('SIGTERM', () => process.exit(0))
} else {
  process.on('uncaughtException', (error) => {
    if (error.code !== 'ERR_INVALID_STATE') throw error
  })
  process.on('disconnect', () => process.exit(0))
  new Server({ path: '/files', datastore: new FileStore({ directory }) }).listen({ host: '127.0.0.1', port: 0 })
}
