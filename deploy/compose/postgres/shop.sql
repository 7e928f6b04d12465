-- The demo shop of the profile `shop`: a database, its owner, and `cdc`, who may follow its tables and do nothing else. Run by the superuser in every start of the profile; what is there stays.
-- Passwords come from the environment.
\getenv shop_password SHOP_DATABASE_PASSWORD
\getenv cdc_password CDC_DATABASE_PASSWORD
SELECT format('CREATE ROLE %I LOGIN', name) FROM (VALUES ('shop'), ('cdc')) AS wanted (name)
WHERE NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = name)
\gexec
ALTER ROLE shop PASSWORD :'shop_password';
ALTER ROLE cdc REPLICATION CONNECTION LIMIT 10 PASSWORD :'cdc_password';
SELECT 'CREATE DATABASE shop OWNER shop' WHERE NOT EXISTS (SELECT 1 FROM pg_database WHERE datname = 'shop')
\gexec
REVOKE ALL ON DATABASE shop FROM PUBLIC;
GRANT CONNECT ON DATABASE shop TO cdc;
\connect shop
-- The shop makes its tables itself, later than this.
ALTER DEFAULT PRIVILEGES FOR ROLE shop IN SCHEMA public GRANT SELECT ON TABLES TO cdc;
SELECT 'CREATE PUBLICATION streamforge FOR TABLES IN SCHEMA public' WHERE NOT EXISTS (SELECT 1 FROM pg_publication WHERE pubname = 'streamforge')
\gexec
