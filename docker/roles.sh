#!/bin/bash
# Run once by the database container when its volume is new: the roles and the database that script/setup makes
# for a private cluster (geoinv/cluster.py), here with passwords.
set -euo pipefail
psql -v ON_ERROR_STOP=1 -U "$POSTGRES_USER" -d postgres -v owner="$GEOINV_OWNER_PASSWORD" -v app="$GEOINV_APP_PASSWORD" <<'SQL'
CREATE ROLE geoinv_owner LOGIN CREATEDB PASSWORD :'owner';
CREATE ROLE geoinv_app LOGIN PASSWORD :'app';
CREATE DATABASE geoinv OWNER geoinv_owner TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C.UTF-8';
\connect geoinv
CREATE EXTENSION postgis;
CREATE EXTENSION btree_gist;
ALTER DEFAULT PRIVILEGES FOR ROLE geoinv_owner GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO geoinv_app;
ALTER DEFAULT PRIVILEGES FOR ROLE geoinv_owner GRANT USAGE, SELECT ON SEQUENCES TO geoinv_app;
SQL
