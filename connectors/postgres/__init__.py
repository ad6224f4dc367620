"""The sink connector's PostgreSQL side: tables declared by their row types, written by COPY and merge."""
