-- Run once in the new database, by the image or by hand (docs/deployment.md): roles, of which none is a superuser.
-- smartwatch_owner owns the tables and migrates; smartwatch reads and writes rows (services/core/platform/db/grants.py).
\getenv owner_password SMARTWATCH_OWNER_PASSWORD
\getenv app_password SMARTWATCH_APP_PASSWORD
SELECT 'CREATE ROLE ' || name || ' LOGIN' FROM (VALUES ('smartwatch_owner'), ('smartwatch')) AS wanted (name)
 WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name) \gexec
ALTER ROLE smartwatch_owner PASSWORD :'owner_password';
ALTER ROLE smartwatch PASSWORD :'app_password';
ALTER DATABASE :"DBNAME" OWNER TO smartwatch_owner;
-- Makes backups: replicates, reads no table. pg_hba.conf needs a line for `replication` (docs/backup.md).
\getenv backup_password SMARTWATCH_BACKUP_PASSWORD
\if :{?backup_password}
SELECT 'CREATE ROLE smartwatch_backup LOGIN REPLICATION'
 WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'smartwatch_backup') \gexec
ALTER ROLE smartwatch_backup PASSWORD :'backup_password';
\endif
