/**
 * What PostgreSQL's tables tell of persons: the columns that name somebody or may, and which tables are free of persons, with the reason. The people who work with the platform (accounts, who changed
 * what) are no subject of an erasure: the audit log must outlive them.
 *
 * Invariant: every table that migrations and the lake's catalog make is here; tests hold the schema and a real database to that, so that a new table is thought about before it is filled.
 */

/** By table: columns that tell of a person, or a text that says why there is nobody in it. */
export const PERSONS_IN_POSTGRES: Readonly<Record<string, readonly string[] | string>> = {
  // A session's id begins with its user's.
  sessions: ['user_id', 'session_id', 'merged_into', 'entry_page', 'exit_page'],
  fraud_alerts: ['user_id', 'evidence', 'trace_id'],
  alert_review_notes: ['note'],
  outbox: ['key', 'value', 'headers'],
  quality_results: ['sample'],
  reconciliations: ['message'],
  reconciliation_differences: ['key', 'message', 'live', 'expected'],
  // Sentences, which may quote what they are about.
  pipeline_runs: ['failure'],
  imports: ['message'],
  cdc_orders: ['user_id', 'extra'],
  erasures: ['user_id', 'subject'],

  revenue_by_minute: 'sums by category',
  traffic_by_minute: 'sums by kind of event',
  products_by_hour: 'sums by product',
  trips_by_region: 'sums by region',
  outcomes_by_minute: 'counts by outcome',
  traffic_by_hour: 'sums by kind of event',
  revenue_by_hour: 'sums by category',
  sessions_by_hour: 'sums by stage of the funnel',
  products_by_week: 'sums by product',
  trips_by_day: 'sums by region',
  daily_kpis: 'figures of a day',
  daily_revenue_by_category: 'figures of a day',
  daily_top_regions: 'figures of a day',
  daily_conversion_funnel: 'figures of a day',

  alert_reviews: 'what was decided of an alert, by its id, which is a hash; the reviewer is one who works here',
  alert_changes: 'when an alert changed, by its id, which is a hash',
  quality_runs: 'counts of checks',
  replays: 'ranges of time and rules; its rows are in a schema of their own, which is looked through as well',
  pipeline_schedules: 'schedules of workflows',
  pipeline_mirror: 'where Temporal is',
  batch_days: 'counts by day',
  tasks: 'places in the log',
  checkpoints: 'names of files, which forget in their own way',
  platform: 'facts about the database',

  cdc_products: 'products of the shop',
  cdc_order_items: 'what an order is of',
  cdc_positions: 'places in the log',
  price_changes: 'prices of products',
  stock_changes: 'stocks of products',
  order_status_changes: 'states of orders, by the id of the order',

  users: 'accounts of those who work here',
  audit_log: 'what those who work here have changed; of an erasure it has the hash alone',
  write_keys: 'keys of pages and programs',
  refresh_tokens: 'sessions of those who work here',
  login_links: 'sessions of those who work here',

  // The lake's catalog, and the account of migrations.
  iceberg_tables: 'names of tables and of their metadata files',
  iceberg_namespace_properties: 'names of namespaces',
  __drizzle_migrations: 'migrations',
}
