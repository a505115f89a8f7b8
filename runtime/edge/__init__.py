"""The edge: turns Kafka into `handler(messages, tx) -> answers`, exactly once in effect."""
