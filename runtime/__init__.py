"""What two services would otherwise copy: the edge, the database, jobs, settings, health."""
