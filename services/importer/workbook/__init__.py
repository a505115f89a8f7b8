"""Files as they come in, opened only inside a bounded child process."""
