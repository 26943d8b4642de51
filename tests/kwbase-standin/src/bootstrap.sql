CREATE SCHEMA crdb_internal
GRANT USAGE ON SCHEMA crdb_internal TO PUBLIC
CREATE FUNCTION crdb_internal.cluster_id() RETURNS uuid LANGUAGE sql STABLE AS $$ SELECT current_setting('kwbase.cluster_id')::uuid $$
CREATE FUNCTION crdb_internal.node_id() RETURNS int8 LANGUAGE sql STABLE AS $$ SELECT 1::int8 $$
CREATE FUNCTION crdb_internal.version() RETURNS text LANGUAGE sql STABLE AS $$ SELECT current_setting('kwbase.version') $$
CREATE DOMAIN crdb_internal.string AS text
CREATE SCHEMA kwdb_internal
GRANT USAGE ON SCHEMA kwdb_internal TO PUBLIC
CREATE FUNCTION kwdb_internal.cluster_id() RETURNS uuid LANGUAGE sql STABLE AS $$ SELECT crdb_internal.cluster_id() $$
GRANT ALL ON SCHEMA public TO PUBLIC
CREATE ROLE node SUPERUSER LOGIN
CREATE DATABASE defaultdb
DROP DATABASE postgres
CREATE DATABASE postgres
UPDATE pg_database SET datistemplate = false WHERE datname = 'template0'
DROP DATABASE template0
