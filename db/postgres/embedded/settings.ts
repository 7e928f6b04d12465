/** The settings of the embedded server: a small machine, one application, results that can be computed again from the log. */
import { OWNER_SETTING } from './postmaster.ts'

/**
 * `synchronous_commit` stays on. Results could be lost and computed again, but only if nobody believes them stored: after a crash of the server
 * alone, the task would go on, and its next checkpoint would run ahead of the results that were lost. One fsync per flush (20 a second
 * at most) is a cheap price for a manifest that never promises more than there is. For the same reason `fsync` and `full_page_writes` stay on.
 */
export function serverSettings(port: number): string[] {
  const settings: Record<string, string | number> = {
    port,
    listen_addresses: '127.0.0.1',
    // TCP only: the path of a Unix socket is limited to some 100 bytes, which a data folder may exceed.
    unix_socket_directories: '',
    password_encryption: 'scram-sha-256',
    max_connections: 60,
    shared_buffers: '128MB',
    effective_cache_size: '1GB',
    work_mem: '16MB',
    maintenance_work_mem: '64MB',
    random_page_cost: 1.1,
    // Catching up writes fast: fewer checkpoints, smaller WAL.
    max_wal_size: '2GB',
    wal_compression: 'pglz',
    checkpoint_timeout: '10min',
    // For reading changes out of this database; a slot that nobody reads may not fill the disk.
    wal_level: 'logical',
    max_replication_slots: 8,
    max_slot_wal_keep_size: '2GB',
    // Two cores, short queries: compiling and parallel workers cost more than they give, and /dev/shm is small in containers.
    jit: 'off',
    max_parallel_workers_per_gather: 0,
    idle_in_transaction_session_timeout: '60s',
    // No statement is logged: they hold people's data.
    log_min_messages: 'warning',
    log_min_error_statement: 'panic',
    log_checkpoints: 'off',
    log_line_prefix: '%m [%p] ',
    timezone: 'UTC',
    log_timezone: 'UTC',
    [OWNER_SETTING]: process.pid,
  }
  return Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])
}
