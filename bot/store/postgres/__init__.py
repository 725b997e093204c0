"""The store on a PostgreSQL server. Imported only if a server is configured."""
