"""The local stack: real Kafka, PostgreSQL and SMTP, and the four workers, on this machine."""
