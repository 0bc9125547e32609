# Run once by the image when it makes the database: the role of backups may open replication connections.
# Sourced by the image's entry point, whose options it leaves alone. The file belongs to the database and its backups.
echo "host replication smartwatch_backup all scram-sha-256" >> "$PGDATA/pg_hba.conf"
